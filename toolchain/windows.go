package main

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// An answer that rests on time.now_ns can be remembered when what is made of it shows when it changes. Where every use
// of a value of now is understood, its call becomes a twin that does not end the answer, and what looks at it becomes
// one that reports when it would answer otherwise (src/engine/builtins/time/windows.ts). Every other call stays as it is.

const nowName = "time.now_ns"

// Comparisons, which get what was done to now as a third operand.
var comparisons = []string{"lt", "lte", "gt", "gte", "neq"}

// What may be done to now on the way to a comparison: all these rise or fall with it. OPA's ceil does not.
var (
	nowSteps  = []string{"plus", "minus", "mul", "div"}
	nowRounds = []string{"floor", "round"}
)

const clockName = "time.clock"

// calendars look at now through a zone. The clock's twin gets the finest of its parts that is used.
var calendars = []string{clockName, "time.date", "time.weekday"}

// windowTwins answers the declarations of these twins.
func windowTwins(natives []*ast.Builtin) []*ast.Builtin {
	var twins []*ast.Builtin
	for _, native := range natives {
		twin := *native
		twin.Name, twin.Infix = twinPrefix+"."+native.Name, ""
		switch {
		case slices.Contains(comparisons, native.Name):
			twin.Decl = types.NewFunction(types.Args(types.A, types.A, types.NewArray(nil, types.A)), types.B)
		case native.Name == clockName:
			twin.Decl = types.NewFunction(types.Args(native.Decl.FuncArgs().Args[0], types.N), native.Decl.Result())
		case native.Name == nowName, slices.Contains(calendars, native.Name):
		default:
			continue
		}
		twins = append(twins, &twin)
	}
	return twins
}

// findWindows puts these twins into compiled modules, in place, and answers whether there were any.
func findWindows(modules []*ast.Module) bool {
	mocked := mockedIn(modules)
	for _, names := range [][]string{comparisons, nowSteps, nowRounds, calendars} {
		if slices.ContainsFunc(names, func(name string) bool { return mocked[name] }) {
			return false
		}
	}
	inlineNow(modules)
	found := false
	for _, module := range modules {
		for _, rule := range module.Rules {
			if flow := flowIn(rule); flow != nil {
				found = flow.rewrite() || found
			}
		}
	}
	if found && mocked[nowName] {
		mockTwin(modules)
	}
	return found
}

// mockTwin lets what replaces now replace its twin too.
func mockTwin(modules []*ast.Module) {
	for _, module := range modules {
		ast.WalkExprs(module, func(expr *ast.Expr) bool {
			for _, with := range slices.Clone(expr.With) {
				if with.Target.Value.String() == nowName {
					twin := with.Copy()
					twin.Target = twinTerm(with.Target)
					expr.With = append(expr.With, twin)
				}
			}
			return false
		})
	}
}

// windowReach answers what the rules can reach with these twins in them.
func (p *parsed) windowReach(served map[string]*ast.Module) *reach {
	compiler, _ := p.compiled(served, nil)
	findWindows(slices.Collect(maps.Values(compiler.Modules)))
	return newReach(compiler)
}

func isTwinOfNow(term *ast.Term) bool {
	ref, is := term.Value.(ast.Ref)
	return is && ref.String() == twinPrefix+"."+nowName
}

// twinTerm answers the name of the twin of what a term names.
func twinTerm(native *ast.Term) *ast.Term {
	ref := ast.Ref{ast.VarTerm(twinPrefix)}
	for at, part := range native.Value.(ast.Ref) {
		if at == 0 {
			part = ast.StringTerm(string(part.Value.(ast.Var)))
		}
		ref = append(ref, part)
	}
	return ast.NewTerm(ref).SetLocation(native.Location)
}
