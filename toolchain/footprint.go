package main

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// read is one place of the input that a rule can look at: its whole subtree, or (shape) only whether it is there and
// of which kind, where true and false are kinds.
type read struct {
	Path  []string `json:"path"`
	Shape bool     `json:"shape,omitempty"`
}

// footprint answers which parts of the input the rules that an entrypoint reaches can read. Two inputs that agree on
// them get the same answer. It takes too much rather than too little: whatever is not understood reads all below the
// last name that is known. Rules are taken one by one, whoever refers to them and with whatever `with`.
type footprint struct {
	reach *reach
	rules map[*ast.Rule][]read
}

func newFootprint(r *reach) *footprint {
	return &footprint{r, map[*ast.Rule][]read{}}
}

func (f *footprint) readsFrom(entrypoint ast.Ref) []read {
	all := []read{}
	for _, rule := range f.reach.rulesFrom(entrypoint) {
		own, known := f.rules[rule]
		if !known {
			own = readsOf(rule)
			f.rules[rule] = own
		}
		all = append(all, own...)
	}
	return leastReads(all)
}

// leastReads sorts and leaves out what another read covers.
func leastReads(all []read) []read {
	slices.SortFunc(all, func(a, b read) int {
		if order := slices.Compare(a.Path, b.Path); order != 0 || a.Shape == b.Shape {
			return order
		}
		if a.Shape {
			return 1
		}
		return -1
	})
	kept := []read{}
	for _, next := range all {
		covered := slices.ContainsFunc(kept, func(k read) bool {
			return !k.Shape && isPrefix(k.Path, next.Path) || k.Shape == next.Shape && slices.Equal(k.Path, next.Path)
		})
		if !covered {
			kept = append(kept, next)
		}
	}
	return kept
}

func isPrefix(of, path []string) bool {
	return len(of) <= len(path) && slices.Equal(of, path[:len(of)])
}

// reader walks one rule. Compiled rules bind what they read to variables; a variable that is bound once, to a place of
// the input, stands for that place (an alias), so that reading a member of it is no reading of its neighbours.
type reader struct {
	aliases map[ast.Var][]string
	// definitions are the expressions that bind the aliases.
	definitions map[*ast.Expr]ast.Var
	found       []read
}

func readsOf(rule *ast.Rule) []read {
	r := &reader{map[ast.Var][]string{}, map[*ast.Expr]ast.Var{}, nil}
	r.findAliases(rule)
	for branch := rule; branch != nil; branch = branch.Else {
		for _, part := range branch.Head.Reference {
			r.value(part)
		}
		for _, argument := range branch.Head.Args {
			r.value(argument)
		}
		if branch.Head.Key != nil {
			r.value(branch.Head.Key)
		}
		if branch.Head.Value != nil {
			r.value(branch.Head.Value)
		}
		r.body(branch.Body)
	}
	return leastReads(r.found)
}

func (r *reader) add(path []string, shape bool) {
	// A copy that is never nil: no names mean all of the input, and JSON has no other empty list for it.
	r.found = append(r.found, read{append([]string{}, path...), shape})
}

func (r *reader) body(body ast.Body) {
	for _, expr := range body {
		r.expr(expr)
	}
}

func (r *reader) expr(expr *ast.Expr) {
	for _, with := range expr.With {
		r.value(with.Value)
		// Replacing a part of the input copies the rest of it, and fails in ways of its own where that is no object.
		if target, is := with.Target.Value.(ast.Ref); is && target.HasPrefix(ast.InputRootRef) && len(target) > 1 {
			r.add(nil, false)
		}
	}
	if name, is := r.definitions[expr]; is {
		r.add(r.aliases[name], true)
		return
	}
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		if path, is := r.place(terms); is {
			r.add(path, true)
			return
		}
		r.value(terms)
	case []*ast.Term:
		if r.objectGet(expr) {
			return
		}
		for _, term := range terms {
			r.value(term)
		}
	case *ast.Every:
		r.value(terms.Domain)
		r.body(terms.Body)
	case *ast.SomeDecl:
		for _, symbol := range terms.Symbols {
			r.value(symbol)
		}
	default:
		r.add(nil, false)
	}
}

// objectGet reads `object.get(place, "key", otherwise)`, and the form with a path, as the place that it looks up.
func (r *reader) objectGet(expr *ast.Expr) bool {
	operands := expr.Operands()
	if !expr.IsCall() || expr.Operator().String() != ast.ObjectGet.Name || len(operands) < 3 {
		return false
	}
	path, is := r.place(operands[0])
	if !is {
		return false
	}
	keys, is := constantPath(operands[1])
	if !is {
		return false
	}
	r.add(path, true)
	r.add(append(slices.Clone(path), keys...), false)
	for _, operand := range operands[2:] {
		r.value(operand)
	}
	return true
}

func constantPath(term *ast.Term) ([]string, bool) {
	switch value := term.Value.(type) {
	case ast.String:
		return []string{string(value)}, true
	case *ast.Array:
		keys := []string{}
		for i := range value.Len() {
			key, is := value.Elem(i).Value.(ast.String)
			if !is {
				return nil, false
			}
			keys = append(keys, string(key))
		}
		return keys, len(keys) > 0
	}
	return nil, false
}

// value takes a term whose whole value counts, and everything inside it.
func (r *reader) value(term *ast.Term) {
	switch value := term.Value.(type) {
	case ast.Var:
		if path, is := r.aliases[value]; is {
			r.add(path, false)
		} else if value.Equal(ast.InputRootDocument.Value) {
			r.add(nil, false)
		}
	case ast.Ref:
		path, constant, from := r.prefix(value)
		if from {
			r.add(path, false)
		}
		if from && constant {
			return
		}
		for i, part := range value {
			if i > 0 || !from {
				r.value(part)
			}
		}
	case ast.Call:
		for _, part := range value {
			r.value(part)
		}
	case ast.Null, ast.Boolean, ast.Number, ast.String:
	default:
		if !within(value, r.value, r.body) {
			r.add(nil, false)
		}
	}
}

// within hands on what a collection or comprehension is made of; false for any other value.
func within(value ast.Value, part func(*ast.Term), body func(ast.Body)) bool {
	switch value := value.(type) {
	case *ast.Array:
		value.Foreach(part)
	case ast.Set:
		value.Foreach(part)
	case ast.Object:
		value.Foreach(func(key, item *ast.Term) {
			part(key)
			part(item)
		})
	case *ast.ArrayComprehension:
		part(value.Term)
		body(value.Body)
	case *ast.SetComprehension:
		part(value.Term)
		body(value.Body)
	case *ast.ObjectComprehension:
		part(value.Key)
		part(value.Value)
		body(value.Body)
	default:
		return false
	}
	return true
}

// place answers where in the input a term stands, when constant names lead there all the way.
func (r *reader) place(term *ast.Term) ([]string, bool) {
	switch value := term.Value.(type) {
	case ast.Var:
		if value.Equal(ast.InputRootDocument.Value) {
			return []string{}, true
		}
		path, is := r.aliases[value]
		return path, is
	case ast.Ref:
		path, constant, from := r.prefix(value)
		return path, constant && from
	}
	return nil, false
}

// prefix answers the place that the constant names at the beginning of a reference lead to, whether nothing else
// follows, and whether it begins in the input at all. A number is no name: it indexes arrays.
func (r *reader) prefix(ref ast.Ref) (path []string, constant, from bool) {
	head, is := ref[0].Value.(ast.Var)
	if !is {
		return nil, false, false
	}
	if path, is = r.aliases[head]; !is && !head.Equal(ast.InputRootDocument.Value) {
		return nil, false, false
	}
	names := constantNames(ref)
	return append(slices.Clone(path), names...), len(names) == len(ref)-1, true
}

// findAliases names the variables that are bound once, by an equation with a place of the input, and nowhere else
// could be: not by a pattern, a call's result, an index that is searched for, an argument, or what `every` ranges over.
func (r *reader) findAliases(rule *ast.Rule) {
	count := &bindings{equations: map[ast.Var]int{}, bound: map[ast.Var]bool{}}
	count.rule(rule)
	// Aliases of aliases come to light one after the other.
	for again := true; again; {
		again = false
		for _, expr := range count.candidates {
			if _, known := r.definitions[expr]; known {
				continue
			}
			for side := range 2 {
				name, is := expr.Operand(side).Value.(ast.Var)
				path, place := r.place(expr.Operand(1 - side))
				if !is || !place || count.equations[name] != 1 || count.bound[name] || name.Equal(ast.InputRootDocument.Value) {
					continue
				}
				r.aliases[name], r.definitions[expr], again = path, name, true
				break
			}
		}
	}
}

// bindings counts where variables may get their values.
type bindings struct {
	// equations counts the plain equations that a variable is one side of.
	equations map[ast.Var]int
	// bound are the variables that something else may bind.
	bound      map[ast.Var]bool
	candidates []*ast.Expr
}

func (b *bindings) rule(rule *ast.Rule) {
	for branch := rule; branch != nil; branch = branch.Else {
		for _, argument := range branch.Head.Args {
			b.bind(argument)
		}
		for _, part := range branch.Head.Reference {
			b.inside(part)
		}
		for _, part := range []*ast.Term{branch.Head.Key, branch.Head.Value} {
			if part != nil {
				b.inside(part)
			}
		}
		b.body(branch.Body)
	}
}

func (b *bindings) body(body ast.Body) {
	for _, expr := range body {
		b.expr(expr)
	}
}

func (b *bindings) expr(expr *ast.Expr) {
	for _, with := range expr.With {
		b.bind(with.Target)
		b.bind(with.Value)
	}
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		b.inside(terms)
	case []*ast.Term:
		if expr.IsEquality() && len(terms) == 3 {
			b.equation(expr)
			return
		}
		for i, term := range terms[1:] {
			// The last operand may be where the result goes.
			if i == len(terms)-2 {
				b.bind(term)
			} else {
				b.inside(term)
			}
		}
	case *ast.Every:
		if terms.Key != nil {
			b.bind(terms.Key)
		}
		b.bind(terms.Value)
		b.inside(terms.Domain)
		b.body(terms.Body)
	case *ast.SomeDecl:
		for _, symbol := range terms.Symbols {
			b.bind(symbol)
		}
	}
}

func (b *bindings) equation(expr *ast.Expr) {
	// A negated equation compares; one under `with` may see another input.
	plain := !expr.Negated && len(expr.With) == 0
	for side := range 2 {
		term := expr.Operand(side)
		switch value := term.Value.(type) {
		case ast.Var:
			b.equations[value]++
			if !plain {
				b.bound[value] = true
			}
		case ast.Ref:
			b.inside(term)
		default:
			b.bind(term)
		}
	}
	if plain {
		b.candidates = append(b.candidates, expr)
	}
}

// bind takes a term as a pattern: its variables are bound there. What a closure in it says binds nothing outside.
func (b *bindings) bind(term *ast.Term) {
	switch value := term.Value.(type) {
	case ast.Var:
		b.bound[value] = true
	case *ast.Array, ast.Set, ast.Object:
		within(value, b.bind, b.body)
	default:
		b.inside(term)
	}
}

// inside takes a term that is used: what it indexes with may be bound there, and so may what its closures say.
func (b *bindings) inside(term *ast.Term) {
	switch value := term.Value.(type) {
	case ast.Ref:
		for _, part := range value[1:] {
			b.bind(part)
		}
		if _, is := value[0].Value.(ast.Var); !is {
			b.inside(value[0])
		}
	case ast.Call:
		for _, part := range value[1:] {
			b.bind(part)
		}
	default:
		within(value, b.inside, b.body)
	}
}

func (r read) String() string {
	text := strings.Join(append([]string{"input"}, r.Path...), ".")
	if r.Shape {
		return text + "?"
	}
	return text
}
