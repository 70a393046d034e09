package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// nowStep is one operation on now: at which of its operands now stands, and what the other is.
type nowStep struct {
	name  string
	side  int
	other *ast.Term
}

// nowValue is a variable made of now.
type nowValue struct {
	// from is the variable that it is made of, none for now itself.
	from  ast.Var
	steps []nowStep
	// definition is where it gets its value.
	definition *ast.Expr
}

// nowFlow follows values of now through one rule, its else branches and closures.
type nowFlow struct {
	exprs []*ast.Expr
	// uses counts how often each variable stands in the rule, understood at how many of these places it is known what
	// becomes of it.
	uses, understood map[ast.Var]int
	values           map[ast.Var]nowValue
	bad              map[ast.Var]bool
}

// flowIn answers nil where there is no now, or something else that is not known here.
func flowIn(rule *ast.Rule) *nowFlow {
	f := &nowFlow{nil, map[ast.Var]int{}, map[ast.Var]int{}, map[ast.Var]nowValue{}, map[ast.Var]bool{}}
	known, has := true, false
	ast.WalkExprs(rule, func(expr *ast.Expr) bool {
		switch expr.Terms.(type) {
		case *ast.Term, []*ast.Term, *ast.Every, *ast.SomeDecl:
		default:
			known = false
		}
		has = has || callOf(expr) == nowName
		f.exprs = append(f.exprs, expr)
		return false
	})
	if !known || !has {
		return nil
	}
	walkTerms(rule, func(term *ast.Term, _ *ast.Location) {
		if name, is := term.Value.(ast.Var); is {
			f.uses[name]++
		}
	})
	for again := true; again; {
		again = false
		for _, expr := range f.exprs {
			again = f.derive(expr) || again
		}
	}
	for _, expr := range f.exprs {
		f.understand(expr)
	}
	f.judge()
	return f
}

// callOf answers the builtin that an expression calls; none where a `with` makes it another.
func callOf(expr *ast.Expr) string {
	if !expr.IsCall() || len(expr.With) > 0 {
		return ""
	}
	return expr.Operator().String()
}

func variable(term *ast.Term) (ast.Var, bool) {
	name, is := term.Value.(ast.Var)
	return name, is
}

// made answers the operand of an expression that is made of now, and at which place it stands; exactly one is.
func (f *nowFlow) made(operands []*ast.Term) (found ast.Var, side int, is bool) {
	for at, operand := range operands {
		name, named := variable(operand)
		if _, has := f.values[name]; named && has {
			if is {
				return "", 0, false
			}
			found, side, is = name, at, true
		}
	}
	return found, side, is
}

// derive finds a variable that an expression makes of now, and answers whether it was new.
func (f *nowFlow) derive(expr *ast.Expr) bool {
	if expr.Negated || !expr.IsCall() {
		return false
	}
	terms := expr.Terms.([]*ast.Term)
	result, is := variable(terms[len(terms)-1])
	name := callOf(expr)
	value := nowValue{definition: expr}
	switch {
	case name == nowName && len(terms) == 2:
	case name == ast.Equality.Name && len(terms) == 3:
		from, side, made := f.made(terms[1:])
		if !made {
			return false
		}
		result, is = variable(terms[2-side])
		value.from, value.steps = from, f.values[from].steps
	case slices.Contains(nowSteps, name) && len(terms) == 4:
		from, side, made := f.made(terms[1:3])
		if !made || !isPlain(terms[2-side]) || name == ast.Divide.Name && side == 1 {
			return false
		}
		value.from, value.steps = from, f.after(from, nowStep{name, side, terms[2-side]})
	case slices.Contains(nowRounds, name) && len(terms) == 3:
		from, _, made := f.made(terms[1:2])
		if !made {
			return false
		}
		value.from, value.steps = from, f.after(from, nowStep{name: name})
	default:
		return false
	}
	if _, known := f.values[result]; known || !is {
		return false
	}
	f.values[result] = value
	return true
}

func (f *nowFlow) after(from ast.Var, step nowStep) []nowStep {
	return append(slices.Clone(f.values[from].steps), step)
}

// isPlain is for operands that can be named once more.
func isPlain(term *ast.Term) bool {
	switch term.Value.(type) {
	case ast.Var, ast.Number:
		return true
	}
	return false
}

// understand counts the variables of an expression of which it is known what becomes of them.
func (f *nowFlow) understand(expr *ast.Expr) {
	if value, name, is := f.definedBy(expr); is {
		f.understood[name]++
		if value.from != "" {
			f.understood[value.from]++
		}
		return
	}
	if name, is := f.seenBy(expr); is {
		f.understood[name]++
	}
}

func (f *nowFlow) definedBy(expr *ast.Expr) (nowValue, ast.Var, bool) {
	if !expr.IsCall() {
		return nowValue{}, "", false
	}
	for _, term := range expr.Terms.([]*ast.Term)[1:] {
		if name, is := variable(term); is && f.values[name].definition == expr {
			return f.values[name], name, true
		}
	}
	return nowValue{}, "", false
}

// seenBy answers the value of now that an expression compares, or whose calendar it asks.
func (f *nowFlow) seenBy(expr *ast.Expr) (ast.Var, bool) {
	name := callOf(expr)
	if name == "" {
		return "", false
	}
	operands := expr.Operands()
	switch {
	case slices.Contains(comparisons, name) && len(operands) >= 2:
		found, _, is := f.made(operands[:2])
		return found, is
	case slices.Contains(calendars, name) && len(operands) >= 1:
		when := operands[0]
		if list, is := when.Value.(*ast.Array); is && list.Len() > 0 {
			when = list.Elem(0)
		}
		found, is := variable(when)
		value, has := f.values[found]
		return found, is && has && len(value.steps) == 0
	}
	return "", false
}

// judge finds the values with a use that is not understood, and what they are made of.
func (f *nowFlow) judge() {
	for name := range f.values {
		if f.uses[name] == f.understood[name] {
			continue
		}
		for at := name; at != "" && !f.bad[at]; at = f.values[at].from {
			f.bad[at] = true
		}
	}
}

// isWindow is whether all that is made of the same call is understood.
func (f *nowFlow) isWindow(name ast.Var) bool {
	for from := f.values[name].from; from != ""; from = f.values[name].from {
		name = from
	}
	return !f.bad[name]
}

func (f *nowFlow) rewrite() bool {
	found := false
	for _, expr := range f.exprs {
		terms, is := expr.Terms.([]*ast.Term)
		if !is {
			continue
		}
		name := callOf(expr)
		if value, defined, is := f.definedBy(expr); is && value.from == "" && f.isWindow(defined) {
			expr.Terms = append([]*ast.Term{twinTerm(terms[0])}, terms[1:]...)
			found = true
		} else if seen, is := f.seenBy(expr); is && f.isWindow(seen) {
			operands := terms[1:]
			if slices.Contains(comparisons, name) {
				_, side, _ := f.made(operands[:2])
				operands = slices.Insert(slices.Clone(operands), 2, f.stepsTerm(seen, side).SetLocation(expr.Loc()))
			} else if name == clockName {
				finest := ast.IntNumberTerm(f.finest(expr)).SetLocation(expr.Loc())
				operands = slices.Insert(slices.Clone(operands), 1, finest)
			}
			expr.Terms = append([]*ast.Term{twinTerm(terms[0])}, operands...)
		}
	}
	return found
}

// stepsTerm is the operand that tells a comparison's twin what was done: `[side, ["minus", 0, x], ["floor"]]`, where 0
// and 1 are the operand, of the comparison and of each operation, that is made of now.
func (f *nowFlow) stepsTerm(name ast.Var, side int) *ast.Term {
	told := []*ast.Term{ast.IntNumberTerm(side)}
	for _, step := range f.values[name].steps {
		parts := []*ast.Term{ast.StringTerm(step.name)}
		if step.other != nil {
			parts = append(parts, ast.IntNumberTerm(step.side), step.other.Copy())
		}
		told = append(told, ast.ArrayTerm(parts...))
	}
	return ast.ArrayTerm(told...)
}
