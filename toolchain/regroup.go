package main

import (
	"fmt"
	"maps"
	"math"
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
// A leaf holds whole rules under their conditions as written, so which leaf is found decides only what is tried. Rules
// that no name can find (functions, and those that compare with numbers or beginnings of texts) are found in a tree.
type regrouping struct {
	// least is how many rules a group has at least.
	least int
	// dispatch is what finding a leaf costs beside its rules, in tried rules: once, and again for each key.
	dispatch float64
	// branches are how many ways a node of a tree has at most.
	branches int
}

var usualRegrouping = regrouping{least: 8, dispatch: 2, branches: 8}

// Others than the usual one are there to be compared with it.
var regroupings = map[string]regrouping{
	"none": {least: math.MaxInt},
	"all":  {least: 1, dispatch: -100, branches: 2},
}

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
		for _, chosen := range r.groups(families[name]) {
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
				keys = keysOf(rule)
			}
			switch {
			case why != "" || len(keys) > 0:
			case rule.Else != nil:
				why = whyElse
			default:
				why = whyNoConstant
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
		walkTerms(rule, func(term *ast.Term, _ *ast.Location) {
			ref, is := term.Value.(ast.Ref)
			found = found || is && len(ref) > 1 && ref[0].Equal(ast.VarTerm("rego")) && ref[1].Equal(ast.StringTerm("metadata"))
		})
	}
	return found
}

// immovable answers why a rule stays where it is; nothing for definitions of complete rules, sets and functions, by a
// plain name.
func immovable(rule *ast.Rule) string {
	head := rule.Head
	switch {
	case rule.Default:
		return whyDefault
	case head.Key != nil && head.Value != nil, !head.Ref().IsGround():
		return whyObject
	case len(head.Ref()) != 1:
		return whyName
	}
	return ""
}

// group are rules that are found by the same keys.
type group struct {
	places []place
	rules  []candidate
	// tree is where they are found, unless by name.
	tree *node
}

// groups answers the groups of rules that define one path; rules that are in none stay where they are.
func (r regrouping) groups(rules []candidate) []group {
	if len(rules) == 0 {
		return nil
	}
	var found []group
	if len(rules[0].rule.Head.Args) == 0 {
		found = r.plan(rules)
	}
	taken := map[*ast.Rule]bool{}
	for _, one := range found {
		for _, rule := range one.rules {
			taken[rule.rule] = true
		}
	}
	left := slices.DeleteFunc(slices.Clone(rules), func(one candidate) bool { return taken[one.rule] })
	if tree, is := r.tree(left); is {
		found = append(found, tree)
	}
	return found
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
		g.moved[modules[one.file].Rules[one.index]] = true
	}
	first := modules[chosen.rules[0].file].Rules[chosen.rules[0].index]
	if chosen.tree != nil {
		g.first[first] = append(g.first[first], g.grow(chosen.tree, name, chosen.places[0], first)...)
		return
	}
	for _, one := range chosen.rules {
		for _, values := range combinations(one.keys, chosen.places) {
			g.leaves = append(g.leaves, leafOf(one.rule, append([]string{name}, values...)...))
		}
	}
	g.first[first] = append(g.first[first], finder(first, name, chosen.places))
}

func leafOf(rule *ast.Rule, names ...string) *ast.Rule {
	leaf := rule.Copy()
	leaf.Annotations = nil
	ref := ast.Ref{ast.VarTerm(reservedName)}
	for _, name := range names {
		ref = ref.Append(ast.StringTerm(name))
	}
	for _, term := range ref {
		term.Location = rule.Loc()
	}
	for branch := leaf; branch != nil; branch = branch.Else {
		branch.Head.Name, branch.Head.Reference = "", ref.Copy()
	}
	return leaf
}

// leafRef answers how rules refer to what leafOf names so.
func leafRef(names ...string) ast.Ref {
	ref := ast.MustParseRef("data." + reservedName + "." + reservedName)
	for _, name := range names {
		ref = ref.Append(ast.StringTerm(name))
	}
	return ref
}

// finder answers the rule that asks a group by what the input has at these places.
func finder(like *ast.Rule, name string, places []place) *ast.Rule {
	ref := leafRef(name)
	body := ""
	terms := map[ast.Var]*ast.Term{}
	for at, of := range places {
		member := ast.VarTerm(fmt.Sprintf("%s_%d", reservedName, at))
		if of.each > 0 {
			all := ast.Var(fmt.Sprintf("all_%d", at))
			body += fmt.Sprintf("some %v in %v; ", member, all)
			terms[all] = place{path: of.path[:of.each-1]}.term(ast.VarTerm("input"), nil)
		}
		ref = ref.Append(of.term(ast.VarTerm("input"), member))
	}
	terms["found"] = ast.NewTerm(ref)
	return ask(like, body, terms)
}

// ask answers a rule named like another one, whose values are those of the term `found`. Terms stand for the other
// names of the body.
func ask(like *ast.Rule, text string, terms map[ast.Var]*ast.Term) *ast.Rule {
	rule := like.Copy()
	rule.Annotations, rule.Else = nil, nil
	value := ast.VarTerm(reservedName).SetLocation(like.Loc())
	if rule.Head.Key != nil {
		text += "some " + reservedName + " in found"
		rule.Head.Key = value
	} else {
		text += reservedName + " := found"
		rule.Head.Value = value
	}
	body := ast.MustParseBodyWithOpts(text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	ast.WalkTerms(body, func(term *ast.Term) bool {
		name, is := term.Value.(ast.Var)
		if stands, known := terms[name]; is && known {
			term.Value = stands.Copy().Value
			return true
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
		for branch := leaf; branch != nil; branch = branch.Else {
			branch.Module = all
		}
	}
	g.modules[file] = all
	return g.modules
}
