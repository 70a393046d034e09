package main

import (
	"cmp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// reference is a place where the sources read data that their own packages do not (wholly) define.
type reference struct {
	Path []string `json:"path"`
	File string   `json:"file"`
	Row  int      `json:"row"`
	Col  int      `json:"col"`
}

func compareReferences(a, b reference) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col),
		slices.Compare(a.Path, b.Path))
}

// dataReferences are those of what is served to data that it does not (wholly) define.
func dataReferences(compiler *ast.Compiler, served map[string]*ast.Module) []reference {
	return references(compiler, served,
		func(_ string, isTest bool) bool { return !isTest },
		func(ref ast.Ref) bool { return ownReference(compiler, served, ref) })
}

// testReferences are those of tests that meet no rule of the sources, and that no `with` of theirs replaces.
func testReferences(compiler *ast.Compiler, all, served map[string]*ast.Module) []reference {
	replaced := []ast.Ref{}
	for path := range all {
		ast.WalkWiths(compiler.Modules[path], func(with *ast.With) bool {
			if target, is := dataRef(with.Target); is {
				replaced = append(replaced, target)
			}
			return false
		})
	}
	return references(compiler, all,
		func(path string, isTest bool) bool { return isTest || served[path] == nil },
		func(ref ast.Ref) bool {
			return ownReference(compiler, all, ref) || slices.ContainsFunc(replaced, func(other ast.Ref) bool {
				return ref.HasPrefix(other) || other.HasPrefix(ref.ConstantPrefix())
			})
		})
}

// references walks the compiled modules: imports are resolved there, locations stay.
func references(compiler *ast.Compiler, modules map[string]*ast.Module, isWanted func(path string, isTest bool) bool,
	isOwn func(ast.Ref) bool) []reference {
	found := []reference{}
	for path := range modules {
		for _, rule := range compiler.Modules[path].Rules {
			if _, test := testName(rule); !isWanted(path, test) {
				continue
			}
			walkTerms(rule, func(term *ast.Term, at *ast.Location) {
				if ref, is := dataRef(term); is && !isOwn(ref) {
					found = append(found, reference{constantNames(ref), path, at.Row, at.Col})
				}
			})
		}
	}
	slices.SortFunc(found, compareReferences)
	return slices.CompactFunc(found, func(a, b reference) bool { return compareReferences(a, b) == 0 })
}

// A reference is the sources' own when it goes into one of their packages and meets a rule there. One that ends above
// a package (`data`, or `data.a[x]` where the package is a.b) also reads what others put beside it.
func ownReference(compiler *ast.Compiler, served map[string]*ast.Module, ref ast.Ref) bool {
	inside := false
	for _, module := range served {
		inside = inside || ref.HasPrefix(module.Package.Path)
	}
	options := ast.RulesOptions{IncludeHiddenModules: true}
	return inside && len(compiler.GetRulesDynamicWithOpts(ref, options)) > 0
}

// dataRef answers the reference to data that a term is.
func dataRef(term *ast.Term) (ast.Ref, bool) {
	ref, is := term.Value.(ast.Ref)
	return ref, is && ref.HasPrefix(ast.DefaultRootRef)
}

// walkTerms meets every term of a rule, its else branches, and the parts of its reference, which OPA's visitor skips;
// each with its place: OPA's compiler makes terms without one (of `some x in xs`, of a key that is not constant), and
// they stand where the expression does that they were made of.
func walkTerms(rule *ast.Rule, meet func(term *ast.Term, at *ast.Location)) {
	var walk func(node any, at *ast.Location)
	walk = func(top any, at *ast.Location) {
		ast.NewGenericVisitor(func(node any) bool {
			switch node := node.(type) {
			case *ast.Rule:
				if node != top {
					walk(node, placed(node.Location, at))
					return true
				}
			case *ast.Expr:
				if node != top {
					walk(node, placed(node.Location, at))
					return true
				}
			case *ast.Term:
				meet(node, placed(node.Location, at))
			}
			return false
		}).Walk(top)
	}
	for branch := rule; branch != nil; branch = branch.Else {
		for _, term := range branch.Head.Reference {
			walk(term, placed(branch.Location, rule.Loc()))
		}
	}
	walk(rule, rule.Loc())
}

// placed answers the first place that is one.
func placed(own, around *ast.Location) *ast.Location {
	if own != nil && own.Row > 0 {
		return own
	}
	return around
}
