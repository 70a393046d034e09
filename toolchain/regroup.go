package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The package and the one variable of the rules that regrouping makes. Sources may not use the name: data under it
// would answer for a group that has no rule for a value, and a variable of that name would mean the groups.
const reservedName = "__vd"

// regrouping is when rules are regrouped. OPA's Wasm tries each rule of a name in turn; regrouped by what they compare
// with constants, it calls those of one group alone, found by the values that the input has there:
//
//	permit := __vd if __vd := data.__vd.__vd.g0[input.action][input.resource.kind]
//
// A leaf holds whole rules under their conditions as written, so which leaf is found decides only what is tried.
type regrouping struct {
	// least is how many rules a group has at least.
	least int
	// dispatch is what finding a leaf costs beside its rules, in tried rules: once, and again for each key.
	dispatch float64
}

var usualRegrouping = regrouping{least: 8, dispatch: 2}

// candidate is a rule that may move, and where it stands.
type candidate struct {
	file  string
	index int
	// rule has absolute references, so its body means the same in any package.
	rule *ast.Rule
	keys map[string]key
}

// of answers the modules with their rules regrouped, and how many groups that made. The given ones stay as they are.
func (r regrouping) of(modules map[string]*ast.Module) (map[string]*ast.Module, int) {
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithOnlyStagesUpTo(ast.StageResolveRefs)
	if compiler.Compile(modules); compiler.Failed() {
		return modules, 0
	}
	if why, _ := hindrance(compiler.Modules); why != "" {
		return modules, 0
	}
	made := &groups{modules: map[string]*ast.Module{}, moved: map[*ast.Rule]bool{}, first: map[*ast.Rule][]*ast.Rule{}}
	families, _ := candidatesIn(compiler.Modules)
	for _, name := range slices.Sorted(maps.Keys(families)) {
		for _, chosen := range r.plan(families[name]) {
			made.add(chosen, modules)
		}
	}
	if made.count == 0 {
		return modules, 0
	}
	return made.into(modules), made.count
}

// hindrance answers why no rule may be regrouped, and where: a reference to all of data would meet the groups, and
// under a mock everything that it reaches is compiled again.
func hindrance(modules map[string]*ast.Module) (why string, where *ast.Location) {
	for _, file := range sortedPaths(modules) {
		meet := func(because string, location *ast.Location) {
			if why == "" || compareLocations(location, where) < 0 {
				why, where = because, location
			}
		}
		visitor := ast.NewGenericVisitor(func(node any) bool {
			switch node := node.(type) {
			case *ast.Term:
				if ref, is := dataRef(node); is && len(constantNames(ref)) == 0 {
					meet(whyAllData, node.Loc())
				}
			case *ast.With:
				if target, is := node.Target.Value.(ast.Ref); !is || !target.HasPrefix(ast.InputRootRef) {
					meet(whyMock, node.Loc())
				}
			}
			return false
		})
		for _, rule := range modules[file].Rules {
			visitor.Walk(rule)
			for branch := rule; branch != nil; branch = branch.Else {
				for _, term := range branch.Head.Reference {
					visitor.Walk(term)
				}
			}
		}
		if why != "" {
			return why, where
		}
	}
	return "", nil
}

// candidatesIn answers the rules that may move, by the path that they define, and why others may not.
func candidatesIn(modules map[string]*ast.Module) (families map[string][]candidate, stay map[*ast.Rule]string) {
	described := map[string]bool{}
	for _, module := range modules {
		if usesMetadata(module) {
			described[module.Package.Path.String()] = true
		}
	}
	families, stay = map[string][]candidate{}, map[*ast.Rule]string{}
	for _, file := range sortedPaths(modules) {
		module := modules[file]
		for index, rule := range module.Rules {
			why := immovable(rule)
			switch {
			case module.RegoVersion() != ast.RegoV1:
				why = whyVersion
			case described[module.Package.Path.String()]:
				why = whyMetadata
			}
			keys := map[string]key{}
			if why == "" {
				if keys = keysOf(rule); len(keys) == 0 {
					why = whyNoConstant
				}
			}
			if why != "" {
				stay[rule] = why
				continue
			}
			path := rule.Ref().String()
			families[path] = append(families[path], candidate{file, index, rule, keys})
		}
	}
	return families, stay
}

// A rule that asks for the annotations around it finds them by the rules that they are attached to.
func usesMetadata(module *ast.Module) bool {
	found := false
	for _, rule := range module.Rules {
		walkTerms(rule, func(term *ast.Term) {
			ref, is := term.Value.(ast.Ref)
			found = found || is && len(ref) > 1 && ref[0].Equal(ast.VarTerm("rego")) && ref[1].Equal(ast.StringTerm("metadata"))
		})
	}
	return found
}

// immovable answers why a rule stays where it is; nothing for definitions of complete rules and of sets, by a plain
// name.
func immovable(rule *ast.Rule) string {
	head := rule.Head
	switch {
	case rule.Default:
		return whyDefault
	case len(head.Args) > 0:
		return whyFunction
	case rule.Else != nil:
		return whyElse
	case head.Key != nil && head.Value != nil, !head.Ref().IsGround():
		return whyObject
	case len(head.Ref()) != 1:
		return whyName
	}
	return ""
}

// group are rules that are found by the same keys.
type group struct {
	paths [][]string
	rules []candidate
}

type groups struct {
	count   int
	leaves  []*ast.Rule
	moved   map[*ast.Rule]bool
	first   map[*ast.Rule][]*ast.Rule
	modules map[string]*ast.Module
}

// add moves rules into leaves, and puts what finds them where the first of them stood.
func (g *groups) add(chosen group, modules map[string]*ast.Module) {
	name := fmt.Sprintf("g%d", g.count)
	g.count++
	for _, one := range chosen.rules {
		for _, values := range combinations(one.keys, chosen.paths) {
			g.leaves = append(g.leaves, leafOf(one.rule, name, values))
		}
		g.moved[modules[one.file].Rules[one.index]] = true
	}
	first := modules[chosen.rules[0].file].Rules[chosen.rules[0].index]
	g.first[first] = append(g.first[first], finder(first, name, chosen.paths))
}

func leafOf(rule *ast.Rule, name string, values []string) *ast.Rule {
	leaf := rule.Copy()
	leaf.Annotations = nil
	ref := ast.Ref{ast.VarTerm(reservedName), ast.StringTerm(name)}
	for _, value := range values {
		ref = ref.Append(ast.StringTerm(value))
	}
	for _, term := range ref {
		term.Location = rule.Loc()
	}
	leaf.Head.Name, leaf.Head.Reference = "", ref
	return leaf
}

// finder answers the rule that asks a group by what the input has at these paths.
func finder(like *ast.Rule, name string, paths [][]string) *ast.Rule {
	ref := ast.MustParseRef("data." + reservedName + "." + reservedName).Append(ast.StringTerm(name))
	for _, path := range paths {
		place := ast.Ref{ast.VarTerm("input")}
		for _, part := range path {
			place = place.Append(ast.StringTerm(part))
		}
		ref = ref.Append(ast.NewTerm(place))
	}
	rule := like.Copy()
	rule.Annotations = nil
	value := ast.VarTerm(reservedName).SetLocation(like.Loc())
	body := ast.MustParseBodyWithOpts(reservedName+" := x", ast.ParserOptions{RegoVersion: ast.RegoV1})
	if rule.Head.Key != nil {
		body = ast.MustParseBodyWithOpts("some "+reservedName+" in x", ast.ParserOptions{RegoVersion: ast.RegoV1})
		rule.Head.Key = value
	} else {
		rule.Head.Value = value
	}
	ast.WalkTerms(body, func(term *ast.Term) bool {
		if term.Equal(ast.VarTerm("x")) {
			term.Value = ref
		}
		return false
	})
	ast.WalkNodes(body, func(node ast.Node) bool {
		node.SetLoc(like.Loc())
		return false
	})
	rule.Body = body
	return rule
}

// into answers the modules without what moved, and the one that holds it.
func (g *groups) into(modules map[string]*ast.Module) map[string]*ast.Module {
	for file, module := range modules {
		changed := *module
		changed.Rules = nil
		for _, rule := range module.Rules {
			for _, found := range g.first[rule] {
				changed.Rules = append(changed.Rules, found)
			}
			if !g.moved[rule] {
				changed.Rules = append(changed.Rules, rule)
			}
		}
		if len(changed.Rules) == len(module.Rules) && slices.Equal(changed.Rules, module.Rules) {
			g.modules[file] = module
		} else {
			g.modules[file] = &changed
		}
	}
	file := reservedName + ".rego"
	for g.modules[file] != nil {
		file = "_" + file
	}
	all := ast.MustParseModuleWithOpts("package "+reservedName, ast.ParserOptions{RegoVersion: ast.RegoV1})
	all.Rules = g.leaves
	for _, leaf := range g.leaves {
		leaf.Module = all
	}
	g.modules[file] = all
	return g.modules
}
