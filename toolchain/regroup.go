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
	if compiler.Compile(modules); compiler.Failed() || !dispatches(compiler.Modules) {
		return modules, 0
	}
	made := &groups{modules: map[string]*ast.Module{}, moved: map[*ast.Rule]bool{}, first: map[*ast.Rule][]*ast.Rule{}}
	families := candidatesIn(compiler.Modules)
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

// dispatches is false where the groups could be seen, or where what is called may be replaced: a reference to all of
// data meets them, and under a mock everything that it reaches is compiled again.
func dispatches(modules map[string]*ast.Module) bool {
	safe := true
	look := func(node any) bool {
		switch node := node.(type) {
		case ast.Ref:
			if node.HasPrefix(ast.DefaultRootRef) && len(constantNames(node)) == 0 {
				safe = false
			}
		case *ast.With:
			target, is := node.Target.Value.(ast.Ref)
			safe = safe && is && target.HasPrefix(ast.InputRootRef)
		}
		return !safe
	}
	visitor := ast.NewGenericVisitor(look)
	for _, module := range modules {
		for _, rule := range module.Rules {
			visitor.Walk(rule)
			for branch := rule; branch != nil; branch = branch.Else {
				for _, term := range branch.Head.Reference {
					visitor.Walk(term)
				}
			}
		}
	}
	return safe
}

// candidatesIn answers the rules that may move, by the path that they define.
func candidatesIn(modules map[string]*ast.Module) map[string][]candidate {
	described := map[string]bool{}
	for _, module := range modules {
		if usesMetadata(module) {
			described[module.Package.Path.String()] = true
		}
	}
	families := map[string][]candidate{}
	for _, file := range sortedPaths(modules) {
		module := modules[file]
		if described[module.Package.Path.String()] || module.RegoVersion() != ast.RegoV1 {
			continue
		}
		for index, rule := range module.Rules {
			if !movable(rule) {
				continue
			}
			if keys := keysOf(rule); len(keys) > 0 {
				path := rule.Ref().String()
				families[path] = append(families[path], candidate{file, index, rule, keys})
			}
		}
	}
	return families
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

// movable are definitions of complete rules and of sets, by a plain name.
func movable(rule *ast.Rule) bool {
	head := rule.Head
	if rule.Default || rule.Else != nil || len(head.Args) > 0 || len(head.Ref()) != 1 {
		return false
	}
	return head.Key == nil || head.Value == nil
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
