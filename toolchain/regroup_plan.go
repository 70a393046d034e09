package main

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
)

const (
	// Keys that one family of rules is regrouped by, and groups that it is split into.
	mostKeys   = 4
	mostGroups = 3
	// Members that a question is expected to have where any of them will do.
	usualMembers = 3
	// OPA's Wasm compiler copies, for each function, the tables of names that lead to it. So many copied names of the
	// compiler's time, two seconds or three, are worth as much as trying one rule more at each evaluation.
	namesPerRule = 1_000_000
)

// planner chooses the groups of one family: the least cost that an evaluation is expected to have, in tried rules.
type planner struct {
	regrouping
	rules  []candidate
	places []place
	// values are the rules' values at the paths, numbered; none where a rule has no such key.
	values [][mostKeys][]uint32
	known  map[uint32]choice
}

// choice is the best way from a state, which is the key sets (as bits, by their number) that took their rules before.
type choice struct {
	cost float64
	keys []int
}

// plan answers the groups of rules that define one path; rules that are in none stay where they are.
func (r regrouping) plan(rules []candidate) []group {
	if len(rules) < r.least {
		return nil
	}
	p := &planner{regrouping: r, rules: rules, known: map[uint32]choice{}}
	p.choosePlaces()
	p.numberValues()
	var made []group
	var used []int
	for _, keys := range p.best(0, nil).keys {
		one := group{}
		for at := range p.places {
			if keys&(1<<at) != 0 {
				one.places = append(one.places, p.places[at])
			}
		}
		for _, at := range p.taken(keys, used) {
			one.rules = append(one.rules, rules[at])
		}
		used = append(used, keys)
		made = append(made, one)
	}
	return made
}

// choosePlaces keeps the keys that spare most when they are the only one.
func (p *planner) choosePlaces() {
	counts := map[string]map[string]int{}
	paths := map[string]place{}
	for _, rule := range p.rules {
		for name, key := range rule.keys {
			texts := key.texts()
			if len(texts) == 0 {
				continue
			}
			if counts[name] == nil {
				counts[name], paths[name] = map[string]int{}, key.place
			}
			for _, value := range texts {
				counts[name][value]++
			}
		}
	}
	spared := map[string]float64{}
	for name, values := range counts {
		all, squares := 0, 0
		for _, count := range values {
			all += count
			squares += count * count
		}
		spared[name] = float64(all) - float64(squares)/float64(all)
	}
	names := slices.Sorted(maps.Keys(paths))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(spared[b], spared[a]) })
	for _, name := range names[:min(len(names), mostKeys)] {
		p.places = append(p.places, paths[name])
	}
}

func (p *planner) numberValues() {
	numbers := map[string]uint32{}
	p.values = make([][mostKeys][]uint32, len(p.rules))
	for at, rule := range p.rules {
		for i, path := range p.places {
			for _, value := range rule.keys[path.String()].texts() {
				number, known := numbers[value]
				if !known {
					number = uint32(len(numbers)) + 1
					numbers[value] = number
				}
				p.values[at][i] = append(p.values[at][i], number)
			}
		}
	}
}

// fits says whether a rule has all of the keys, and few enough values of them.
func (p *planner) fits(rule, keys int) bool {
	copies := 1
	for i := range p.places {
		if keys&(1<<i) != 0 {
			copies *= len(p.values[rule][i])
		}
	}
	return copies > 0 && copies <= mostCopies
}

// taken answers the rules that a key set takes after others took theirs.
func (p *planner) taken(keys int, used []int) []int {
	var found []int
	for rule := range p.rules {
		before := slices.ContainsFunc(used, func(other int) bool { return p.fits(rule, other) })
		if !before && p.fits(rule, keys) {
			found = append(found, rule)
		}
	}
	return found
}

// best tries every key set next, and leaving the rest as it is.
func (p *planner) best(state uint32, used []int) choice {
	if answer, known := p.known[state]; known {
		return answer
	}
	left := 0
	for rule := range p.rules {
		if !slices.ContainsFunc(used, func(keys int) bool { return p.fits(rule, keys) }) {
			left++
		}
	}
	found := choice{cost: float64(left)}
	for keys := 1; keys < 1<<len(p.places) && len(used) < mostGroups; keys++ {
		taken := p.taken(keys, used)
		if len(taken) < p.least {
			continue
		}
		leaves := p.leaves(taken, keys)
		own := p.dispatch*float64(1+bits.OnesCount(uint(keys))) + p.lookups(keys)*expected(leaves) + p.naming(leaves)
		if own >= found.cost {
			continue
		}
		rest := p.best(state|1<<keys, append(slices.Clone(used), keys))
		if own+rest.cost < found.cost {
			found = choice{own + rest.cost, append([]int{keys}, rest.keys...)}
		}
	}
	p.known[state] = found
	return found
}

// lookups is how many leaves a question is expected to look up: one, and more where members are iterated.
func (p *planner) lookups(keys int) float64 {
	count := 1.0
	for at, one := range p.places {
		if keys&(1<<at) != 0 && one.each > 0 {
			count *= usualMembers
		}
	}
	return count
}

type leaf [mostKeys]uint32

// leaves counts the rules of each leaf.
func (p *planner) leaves(rules []int, keys int) map[leaf]int {
	counts := map[leaf]int{}
	for _, rule := range rules {
		p.eachLeaf(rule, keys, 0, leaf{}, func(one leaf) { counts[one]++ })
	}
	return counts
}

// expected is how many rules stand in the leaf of a question that is as likely to be about any rule as another.
func expected(leaves map[leaf]int) float64 {
	all, squares := 0, 0
	for _, count := range leaves {
		all += count
		squares += count * count
	}
	return float64(squares) / float64(all)
}

// naming is what the compiler's time for the names of leaves is worth, in tried rules.
func (p *planner) naming(leaves map[leaf]int) float64 {
	copied := 0
	for at := range p.places {
		names := map[uint32]bool{}
		for one := range leaves {
			names[one[at]] = true
		}
		// While the tables grow, half of their names are there.
		copied += len(leaves) * len(names) / 2
	}
	return float64(copied) / namesPerRule
}

func (p *planner) eachLeaf(rule, keys, at int, one leaf, meet func(leaf)) {
	switch {
	case at == len(p.places):
		meet(one)
	case keys&(1<<at) == 0:
		p.eachLeaf(rule, keys, at+1, one, meet)
	default:
		for _, value := range p.values[rule][at] {
			one[at] = value
			p.eachLeaf(rule, keys, at+1, one, meet)
		}
	}
}
