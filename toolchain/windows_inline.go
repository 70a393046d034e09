package main

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// inlineNow puts the bodies of rules like `now := time.now_ns()` and `now_s := now / 1000000000` in the place of what
// refers to them: a rule's value may go anywhere, while what each of the others does with it can be seen.
func inlineNow(modules []*ast.Module) {
	made := map[*ast.Rule]int{}
	for again := true; again; {
		again = false
		clocks := clockRules(modules)
		if len(clocks) == 0 {
			return
		}
		for _, module := range modules {
			for _, rule := range module.Rules {
				inliner := inliner{clocks, made[rule]}
				for branch := rule; branch != nil; branch = branch.Else {
					again = inliner.body(&branch.Body) || again
				}
				made[rule] = inliner.made
			}
		}
	}
}

// clockRules answers, by their references, the rules that are nothing but now and sums with constants.
func clockRules(modules []*ast.Module) map[string]*ast.Rule {
	defined := map[string][]*ast.Rule{}
	var refs, mocked []ast.Ref
	for _, module := range modules {
		for _, rule := range module.Rules {
			ref := rule.Ref()
			refs = append(refs, ref)
			defined[ref.String()] = append(defined[ref.String()], rule)
		}
		ast.WalkWiths(module, func(with *ast.With) bool {
			if ref, is := with.Target.Value.(ast.Ref); is {
				mocked = append(mocked, ref)
			}
			return false
		})
	}
	clocks := map[string]*ast.Rule{}
	for name, rules := range defined {
		if len(rules) > 1 || !isClock(rules[0]) {
			continue
		}
		ref := rules[0].Ref()
		overlaps := func(other ast.Ref) bool { return other.HasPrefix(ref) || ref.HasPrefix(other) }
		// One that overlaps is the rule itself.
		overlapping := 0
		for _, other := range refs {
			if overlaps(other) {
				overlapping++
			}
		}
		if overlapping == 1 && !slices.ContainsFunc(mocked, overlaps) {
			clocks[name] = rules[0]
		}
	}
	return clocks
}

// isClock is whether a rule always has a value, and reads nothing but now.
func isClock(rule *ast.Rule) bool {
	head := rule.Head
	if rule.Default || rule.Else != nil || len(head.Args) > 0 || head.Key != nil || head.Value == nil || !rule.Ref().IsGround() {
		return false
	}
	f := flowIn(rule)
	if f == nil {
		return false
	}
	for _, expr := range rule.Body {
		value, _, is := f.definedBy(expr)
		if !is || slices.ContainsFunc(value.steps, nowStep.mayVary) {
			return false
		}
	}
	name, is := variable(head.Value)
	_, has := f.values[name]
	return is && has
}

// mayVary is whether it does not do the same always, or fails.
func (s nowStep) mayVary() bool {
	if s.other == nil {
		return false
	}
	number, is := s.other.Value.(ast.Number)
	return !is || number.Compare(ast.Number("0")) == 0
}

type inliner struct {
	clocks map[string]*ast.Rule
	// made counts the variables of the rule that were made here.
	made int
}

// body puts the rules' bodies before what refers to them, in closures too.
func (in *inliner) body(body *ast.Body) bool {
	found := false
	changed := ast.Body{}
	for _, expr := range *body {
		for at, side := range []int{1, 0} {
			clock := in.clockOf(expr, at)
			if clock == nil {
				continue
			}
			if _, is := variable(expr.Operand(side)); is {
				inlined, value := in.copyOf(clock)
				changed = append(changed, inlined...)
				expr.Terms.([]*ast.Term)[at+1] = value
				found = true
			}
		}
		found = in.closures(expr) || found
		changed = append(changed, expr)
	}
	for at, expr := range changed {
		expr.Index = at
	}
	*body = changed
	return found
}

// clockOf answers the rule that an operand of an equation means.
func (in *inliner) clockOf(expr *ast.Expr, at int) *ast.Rule {
	if expr.Negated || callOf(expr) != ast.Equality.Name || len(expr.Operands()) != 2 {
		return nil
	}
	ref, is := dataRef(expr.Operand(at))
	if !is {
		return nil
	}
	return in.clocks[ref.String()]
}

// closures goes into the bodies that an expression holds.
func (in *inliner) closures(expr *ast.Expr) bool {
	found := false
	if every, is := expr.Terms.(*ast.Every); is {
		found = in.body(&every.Body)
	}
	ast.WalkClosures(expr, func(closure any) bool {
		switch closure := closure.(type) {
		case *ast.ArrayComprehension:
			found = in.body(&closure.Body) || found
		case *ast.SetComprehension:
			found = in.body(&closure.Body) || found
		case *ast.ObjectComprehension:
			found = in.body(&closure.Body) || found
		}
		return true
	})
	return found
}

// copyOf answers the body of a rule with variables of its own, and the one that is its value.
func (in *inliner) copyOf(clock *ast.Rule) (ast.Body, *ast.Term) {
	names := map[ast.Var]ast.Var{}
	fresh := func(term *ast.Term) {
		name, is := variable(term)
		if !is {
			return
		}
		if _, known := names[name]; !known {
			names[name] = in.fresh()
		}
		term.Value = names[name]
	}
	copied := clock.Body.Copy()
	for _, expr := range copied {
		for _, term := range expr.Terms.([]*ast.Term)[1:] {
			fresh(term)
		}
	}
	value := clock.Head.Value.Copy()
	fresh(value)
	return copied, value
}

// fresh answers a variable that the rule does not have: sources cannot write it.
func (in *inliner) fresh() ast.Var {
	in.made++
	return ast.Var(fmt.Sprintf("%s$%d", twinPrefix, in.made))
}
