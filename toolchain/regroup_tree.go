package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// node is a tree of definitions by the values that a place has in them, in order. A definition can hold only where the
// place is between its lowest and its highest value, both included, so a node tries its branches where the place is
// between those of all that they hold.
//
//	f(a) := __vd if { a >= "b"; a <= "k"; __vd := data.__vd.__vd.g0.n1(a) }
type node struct {
	low, high ast.Value
	// others are definitions that fail where the place is no text, if OPA is strict about errors of builtins.
	others []*ast.Rule
	// One of them is there.
	branches []*node
	rules    []spanned
}

// spanned is a definition and one of its spans.
type spanned struct {
	rule      *ast.Rule
	low, high ast.Value
}

// tree answers the group of the rules that one place is compared in, if trying them all costs more.
func (r regrouping) tree(rules []candidate) (group, bool) {
	if len(rules) < r.least {
		return group{}, false
	}
	spans := map[string][]spanned{}
	places := map[string]place{}
	for _, one := range rules {
		for name, key := range one.keys {
			if key.each == 0 {
				if own, are := spansOf(one.rule, key); are {
					spans[name], places[name] = append(spans[name], own...), key.place
				}
			}
		}
	}
	best, least := "", float64(len(rules))
	for _, name := range slices.Sorted(maps.Keys(spans)) {
		own := spans[name]
		taken := map[*ast.Rule]bool{}
		for _, one := range own {
			taken[one.rule] = true
		}
		cost := float64(len(rules)-len(taken)) + r.dispatch + r.costOf(own)
		if len(taken) >= r.least && cost < least {
			best, least = name, cost
		}
	}
	if best == "" {
		return group{}, false
	}
	spanning := map[*ast.Rule]bool{}
	for _, one := range spans[best] {
		spanning[one.rule] = true
	}
	found := group{places: []place{places[best]}, tree: r.grown(r.bottomsOf(spans[best]))}
	for _, one := range rules {
		if !spanning[one.rule] {
			continue
		}
		found.rules = append(found.rules, one)
		if len(one.keys[best].prefixes) > 0 {
			found.tree.others = append(found.tree.others, one.rule)
		}
	}
	return found, true
}

// spansOf answers the spans of a rule: none where a constant is of a kind whose order OPA's Wasm might see otherwise.
func spansOf(rule *ast.Rule, k key) ([]spanned, bool) {
	var found []spanned
	for _, constant := range k.constants {
		if text, is := constant.(ast.String); is && !isASCII(string(text)) {
			return nil, false
		}
		found = append(found, spanned{rule, constant, constant})
	}
	for _, prefix := range k.prefixes {
		// What begins with a text comes before the text with its last character raised: both are ASCII, as is DEL.
		last := len(prefix) - 1
		found = append(found, spanned{rule, ast.String(prefix), ast.String(prefix[:last] + string(prefix[last]+1))})
	}
	return found, true
}

// bottomsOf sorts definitions into nodes without branches: those of one span stand together.
func (r regrouping) bottomsOf(all []spanned) []*node {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b spanned) int {
		if order := ast.Compare(a.low, b.low); order != 0 {
			return order
		}
		return ast.Compare(a.high, b.high)
	})
	var bottoms []*node
	for at, one := range all {
		same := at > 0 && ast.Compare(all[at-1].low, one.low) == 0
		if len(bottoms) == 0 || !same && len(bottoms[len(bottoms)-1].rules) >= r.branches {
			bottoms = append(bottoms, &node{low: one.low, high: one.high})
		}
		last := bottoms[len(bottoms)-1]
		// A rule that takes several values is there once.
		if !slices.ContainsFunc(last.rules, func(other spanned) bool { return other.rule == one.rule }) {
			last.rules = append(last.rules, one)
		}
		if ast.Compare(one.high, last.high) > 0 {
			last.high = one.high
		}
	}
	return bottoms
}

// grown puts nodes under nodes until there is one.
func (r regrouping) grown(nodes []*node) *node {
	for first := true; first || len(nodes) > 1; first = false {
		var above []*node
		for some := range slices.Chunk(nodes, r.branches) {
			one := &node{low: some[0].low, high: some[0].high, branches: some}
			for _, branch := range some {
				if ast.Compare(branch.high, one.high) > 0 {
					one.high = branch.high
				}
			}
			above = append(above, one)
		}
		nodes = above
	}
	return nodes[0]
}

// costOf is how many definitions and branches are expected to be tried for a value that is as likely as any other.
func (r regrouping) costOf(all []spanned) float64 {
	bottoms := r.bottomsOf(all)
	tried := 0
	for _, bottom := range bottoms {
		tried += len(bottom.rules) * len(bottom.rules)
	}
	cost := float64(tried) / float64(len(all))
	for count := len(bottoms); ; count = (count + r.branches - 1) / r.branches {
		cost += float64(min(count, r.branches))
		if count <= r.branches {
			return cost
		}
	}
}

// grow makes the rules of a tree, and answers those that ask its first branches.
func (g *groups) grow(top *node, name string, of place, like *ast.Rule) []*ast.Rule {
	made := 0
	var ways func(from *node, like *ast.Rule) []*ast.Rule
	ways = func(from *node, like *ast.Rule) []*ast.Rule {
		var asking []*ast.Rule
		for _, branch := range from.branches {
			own := fmt.Sprintf("n%d", made)
			made++
			asking = append(asking, branchOf("value >= low; value <= high; ", branch, of, like, leafRef(name, own)))
			for _, one := range branch.rules {
				g.leaves = append(g.leaves, leafOf(one.rule, name, own))
			}
			for _, deeper := range ways(branch, like) {
				g.leaves = append(g.leaves, leafOf(deeper, name, own))
			}
		}
		return asking
	}
	asking := ways(top, like)
	if len(top.others) > 0 {
		for _, rule := range top.others {
			g.leaves = append(g.leaves, leafOf(rule, name, "others"))
		}
		asking = append(asking, branchOf("is := value; not is_string(is); ", nil, of, like, leafRef(name, "others")))
	}
	return asking
}

// branchOf answers the definition that asks a branch on some condition.
func branchOf(condition string, branch *node, of place, like *ast.Rule, ref ast.Ref) *ast.Rule {
	own := like.Copy()
	found := ast.NewTerm(ref)
	root := ast.VarTerm("input")
	if len(own.Head.Args) > 0 {
		call := ast.Call{found}
		for at := range own.Head.Args {
			own.Head.Args[at] = ast.VarTerm(fmt.Sprintf("%s_%d", reservedName, at)).SetLocation(like.Loc())
			call = append(call, own.Head.Args[at])
			if of.argument == at+1 {
				root = own.Head.Args[at]
			}
		}
		found = ast.NewTerm(call)
	}
	terms := map[ast.Var]*ast.Term{"value": of.term(root, nil), "found": found}
	if branch != nil {
		terms["low"], terms["high"] = ast.NewTerm(branch.low), ast.NewTerm(branch.high)
	}
	return ask(own, condition, terms)
}
