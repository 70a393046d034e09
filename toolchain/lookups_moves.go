package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// seesAllData is true of queries that refer to all of data, or to any two names in it: they would see what is moved.
// A rule that did would be recursive.
func seesAllData(modules map[string]*ast.Module) bool {
	seen := false
	eachTerm(modules, func(term *ast.Term) {
		ref, is := dataRef(term)
		if !is || firstVariable(ref) > 1 {
			return
		}
		isNumber := len(ref) > 1 && isIndex(ref[1])
		seen = seen || !isNumber && (len(ref) < 3 || !isText(ref[2]))
	})
	return seen
}

// moveFunctions takes functions out of the way of references: those below a path whose rules are found by names that
// are not constant, and those below what `with` replaces, which the planner does not find then. `data.lib.f` becomes
// `data.__vd.functions.lib.f`.
func moveFunctions(modules map[string]*ast.Module) bool {
	// Each kind of reference once: many rules have the same, of variables of their own.
	lookups, replaced := map[string]ast.Ref{}, map[string]ast.Ref{}
	eachTerm(modules, func(term *ast.Term) {
		if ref, is := dataRef(term); is && firstVariable(ref) < len(ref) {
			lookups[kindOf(ref)] = ref
		}
	})
	eachExpr(modules, func(expr *ast.Expr) {
		for _, with := range expr.With {
			if ref, is := dataRef(with.Target); is {
				replaced[kindOf(ref)] = ref
			}
		}
	})
	stands := map[string]bool{}
	isInTheWay := func(function ast.Ref) bool {
		name := function.String()
		if stood, known := stands[name]; known {
			return stood
		}
		for _, ref := range lookups {
			stands[name] = stands[name] || mayMean(ref, function)
		}
		for _, ref := range replaced {
			stands[name] = stands[name] || len(function) > len(ref) && function.HasPrefix(ref)
		}
		return stands[name]
	}
	moved := map[string]ast.Ref{}
	for _, file := range sortedPaths(modules) {
		module := modules[file]
		aside := *module
		aside.Package = &ast.Package{Path: asideRef(module.Package.Path), Location: module.Package.Location}
		aside.Annotations, aside.Rules = nil, nil
		var stay []*ast.Rule
		module.Rules = slices.DeleteFunc(module.Rules, func(rule *ast.Rule) bool {
			ref := rule.Ref()
			if len(rule.Head.Args) == 0 || !isInTheWay(ref) {
				return false
			}
			if moved[ref.String()] == nil {
				stay = append(stay, neverDefined(rule))
			}
			moved[ref.String()] = asideRef(ref)
			aside.Rules = append(aside.Rules, rule)
			for branch := rule; branch != nil; branch = branch.Else {
				branch.Module = &aside
			}
			return true
		})
		module.Rules = append(module.Rules, stay...)
		if len(aside.Rules) > 0 {
			modules[reservedName+" functions of "+file] = &aside
		}
	}
	if len(moved) > 0 {
		eachTerm(modules, func(term *ast.Term) {
			if ref, is := dataRef(term); is && moved[ref.String()] != nil {
				term.Value = moved[ref.String()].Copy()
			}
		})
	}
	return len(moved) > 0
}

func neverDefined(function *ast.Rule) *ast.Rule {
	rule := function.Copy()
	rule.Head.Args, rule.Head.Value = nil, ast.BooleanTerm(true).SetLocation(rule.Location)
	rule.Body = ast.NewBody(ast.NewExpr(ast.BooleanTerm(false).SetLocation(rule.Location)).SetLocation(rule.Location))
	rule.Default, rule.Else, rule.Annotations = false, nil, nil
	return rule
}

// kindOf is the text of a reference whose variables have no names.
func kindOf(ref ast.Ref) string {
	var text strings.Builder
	for _, part := range ref[1:] {
		if isText(part) {
			text.WriteString(part.String())
		} else {
			text.WriteByte(1)
		}
		text.WriteByte(0)
	}
	return text.String()
}

// mayMean is true of a reference that is, or begins with, another one, whatever its variables stand for.
func mayMean(ref, constant ast.Ref) bool {
	for at, name := range constant {
		if at >= len(ref) || at > 0 && isText(ref[at]) && !ref[at].Equal(name) {
			return false
		}
	}
	return true
}

func asideRef(ref ast.Ref) ast.Ref {
	return ast.Ref{ast.DefaultRootDocument, ast.StringTerm(reservedName), ast.StringTerm("functions")}.Concat(ref[1:])
}

// moveMocks lets data hold what replaces a function, where it is the value of a variable: the planner hands variables
// on to what it calls as further operands, but not to rules that are found by names that are not constant.
//
//	with f as v    with f as data.__vd.mocks.m0 with data.__vd.mocks.m0 as v
func moveMocks(modules map[string]*ast.Module) bool {
	looksUp := false
	eachTerm(modules, func(term *ast.Term) {
		ref, is := dataRef(term)
		looksUp = looksUp || is && firstVariable(ref) < len(ref)
	})
	if !looksUp {
		return false
	}
	functions := functionsIn(modules)
	// The compiler lets expressions that it makes of one share what was written at it.
	held := map[*ast.With]*ast.Term{}
	eachExpr(modules, func(expr *ast.Expr) {
		var all []*ast.With
		for _, with := range expr.With {
			if _, is := with.Value.Value.(ast.Var); !is || !functions.mocks(with) {
				all = append(all, with)
				continue
			}
			holder := held[with]
			if holder == nil {
				holder = ast.MustParseTerm(fmt.Sprintf("data.%s.mocks.m%d", reservedName, len(held))).SetLocation(with.Location)
				held[with] = holder
			}
			mock := &ast.With{Target: with.Target.Copy(), Value: holder.Copy(), Location: with.Location}
			all = append(all, mock, &ast.With{Target: holder.Copy(), Value: with.Value.Copy(), Location: with.Location})
		}
		expr.With = all
	})
	holders := "package " + reservedName + ".mocks\n"
	for at := range len(held) {
		holders += fmt.Sprintf("m%d := null\n", at)
	}
	if len(held) > 0 {
		modules[reservedName+" mocks"] = ast.MustParseModuleWithOpts(holders, ast.ParserOptions{RegoVersion: ast.RegoV1})
	}
	return len(held) > 0
}

// sortMocks puts what replaces documents before what replaces functions: the planner counts the former alone, and takes
// what it counts from all of them. Values are computed before all of them, so that their order means nothing else.
func sortMocks(modules map[string]*ast.Module) bool {
	functions := functionsIn(modules)
	sorted := false
	eachExpr(modules, func(expr *ast.Expr) {
		rank := func(a, b *ast.With) int {
			switch {
			case functions.mocks(a) == functions.mocks(b):
				return 0
			case functions.mocks(a):
				return 1
			}
			return -1
		}
		if !slices.IsSortedFunc(expr.With, rank) {
			expr.With = slices.Clone(expr.With)
			slices.SortStableFunc(expr.With, rank)
			sorted = true
		}
	})
	return sorted
}

// functions are those of modules, by their references as text.
type functions map[string]bool

func functionsIn(modules map[string]*ast.Module) functions {
	found := functions{}
	for _, module := range modules {
		for _, rule := range module.Rules {
			if len(rule.Head.Args) > 0 {
				found[rule.Ref().String()] = true
			}
		}
	}
	return found
}

// mocks is true of what replaces a function, of the modules or a builtin.
func (f functions) mocks(with *ast.With) bool {
	target := with.Target.Value.(ast.Ref)
	isDocument := target.HasPrefix(ast.DefaultRootRef) || target.HasPrefix(ast.InputRootRef)
	return !isDocument || f[target.String()]
}

func isText(term *ast.Term) bool {
	_, is := term.Value.(ast.String)
	return is
}

func eachTerm(modules map[string]*ast.Module, visit func(*ast.Term)) {
	for _, module := range modules {
		ast.WalkTerms(module, func(term *ast.Term) bool {
			visit(term)
			return false
		})
	}
}

func eachExpr(modules map[string]*ast.Module, visit func(*ast.Expr)) {
	for _, file := range sortedPaths(modules) {
		ast.WalkExprs(modules[file], func(expr *ast.Expr) bool {
			visit(expr)
			return false
		})
	}
}
