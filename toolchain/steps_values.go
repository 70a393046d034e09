package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

func (f *follower) values(query *followed, n naming, expr *ast.Expr, event *topdown.Event) []namedValue {
	found := []namedValue{}
	add := func(name string, value ast.Value) {
		known := slices.ContainsFunc(found, func(one namedValue) bool { return one.Name == name })
		if name != "" && value != nil && !known {
			found = append(found, namedValue{name, shortened(value.String(), longestValue)})
		}
	}
	ast.NewGenericVisitor(func(node any) bool {
		switch value := node.(type) {
		case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension, *ast.Every:
			return true
		case ast.Ref:
			if at := f.documentAt(value, event); at != nil {
				add(n.text(ast.NewTerm(value)), at)
				return true
			}
			if value.HasPrefix(ast.InputRootRef) && value.IsGround() {
				add(n.text(ast.NewTerm(value)), undefinedValue)
			}
			if found, is := query.rulesFor(expr).at(value, event); is {
				if !isPlainRule(expr, value, found) {
					add(n.text(ast.NewTerm(value)), found)
				}
				return true
			}
		case ast.Var:
			if event.Locals != nil {
				add(n.nameOf(value), event.Locals.Get(value))
			}
		}
		return false
	}).Walk(expr)
	return found
}

// documentAt is the value of a reference to the input, or to data that no rule defines, as far as it has one.
func (f *follower) documentAt(ref ast.Ref, event *topdown.Event) ast.Value {
	path, known := plugged(ref[1:], event)
	if !known {
		return nil
	}
	switch {
	case event.Input() != nil && ref.HasPrefix(ast.InputRootRef):
		if found, err := event.Input().Value.Find(path); err == nil {
			return found
		}
	case ref.HasPrefix(ast.DefaultRootRef):
		return dataAt(f.data, path)
	}
	return nil
}

// plugged puts what is known in the place of variables; false when some are not known.
func plugged(path ast.Ref, event *topdown.Event) (ast.Ref, bool) {
	made := make(ast.Ref, 0, len(path))
	for _, term := range path {
		if name, is := term.Value.(ast.Var); is {
			value := event.Locals.Get(name)
			if value == nil {
				return nil, false
			}
			term = ast.NewTerm(value)
		}
		made = append(made, term)
	}
	return made, true
}

// ruleValues are the values of rules by their reference, none for one that was tried and has none. OPA evaluates a rule
// once where no `with` stands between: what it gave then it gives to all that ask.
type ruleValues map[string]ast.Value

// begin takes a rule that has one value, or none, at a place that is known.
func (q *followed) begin(rule *ast.Rule) {
	if ref := rule.Ref(); rule.Head.RuleKind() == ast.SingleValue && len(rule.Head.Args) == 0 && ref.IsGround() {
		q.made = ref.String()
		if _, tried := q.rules[q.made]; !tried {
			q.rules[q.made] = nil
		}
	}
}

// keep takes the value that a rule gave.
func (q *followed) keep(event *topdown.Event) {
	rule, is := event.Node.(*ast.Rule)
	if !is || q.made == "" {
		return
	}
	known := failure{locals: event.Locals}
	if value, is := known.plugged(rule.Head.Value); is {
		q.rules[q.made] = value.Value
	} else {
		delete(q.rules, q.made)
		q.made = ""
	}
}

// rulesFor are the values that an expression meets; none where they are no longer known.
func (q *followed) rulesFor(expr *ast.Expr) ruleValues {
	switch {
	case len(expr.With) == 0:
		return q.rules
	case expr == q.current:
		return q.below
	}
	return nil
}

// isPlainRule is for a rule that stands alone, and whose step says already whether it held.
func isPlainRule(expr *ast.Expr, ref ast.Ref, value ast.Value) bool {
	term, alone := expr.Terms.(*ast.Term)
	return alone && term.Value.Compare(ref) == 0 && (expr.Negated || value.Compare(undefinedValue) == 0)
}

// undefinedValue stands for no value.
const undefinedValue = ast.Var("undefined")

// at answers the value of a reference that goes into the value of a rule; false where that is not known.
func (v ruleValues) at(ref ast.Ref, event *topdown.Event) (ast.Value, bool) {
	for length := 2; length <= len(ref); length++ {
		value, tried := v[ref[:length].String()]
		if !tried {
			continue
		}
		path, known := plugged(ref[length:], event)
		if !known {
			return nil, false
		}
		if value != nil {
			if found, err := value.Find(path); err == nil {
				return found, true
			}
		}
		return undefinedValue, true
	}
	return nil, false
}

func dataAt(document any, path ast.Ref) ast.Value {
	for _, term := range path {
		object, is := document.(map[string]any)
		name, named := term.Value.(ast.String)
		if !is || !named {
			return nil
		}
		if document, is = object[string(name)]; !is {
			return nil
		}
	}
	found, err := ast.InterfaceToValue(document)
	if err != nil {
		return nil
	}
	return found
}
