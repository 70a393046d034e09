package main

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// read is one place of the input that a rule can look at: its whole subtree, or (shape) only whether it is there and
// of which kind, where true and false are kinds.
type read struct {
	Path  []string `json:"path"`
	Shape bool     `json:"shape,omitempty"`

	// at is where the sources read it, and why says what keeps the place from being a smaller one, if anything does.
	at  *ast.Location
	why string
}

// footprint answers which parts of the input the rules that an entrypoint reaches can read. Two inputs that agree on
// them get the same answer. It takes too much rather than too little: whatever is not understood reads all below the
// last name that is known. Rules are taken one by one, with whatever `with` they are referred to; a function is taken
// once for the places that it is called with, and a rule that only passes a place on stands for that place.
type footprint struct {
	reach  *reach
	visits map[visit]*visited
	// arguments are the places that the text of a visit stands for; none for an argument that is no place.
	arguments map[string][][]string
	contexts  map[*ast.Rule]int
	// named are the rules that alone have their name.
	named  map[string]*ast.Rule
	mocked []ast.Ref
}

// Places that a function is called with, each looked at by itself; arguments of further calls count whole.
const mostContexts = 64

// visit is a rule as who refers to it sees it.
type visit struct {
	rule *ast.Rule
	// arguments are the places that its arguments stand for, as text: empty where none does.
	arguments string
	// passed is true where the rule's value is taken for the place that it is, and what is read of that counts there.
	passed bool
}

type visited struct {
	reads []read
	// next are rules that are referred to in a way that is understood; refs mean whatever they can.
	next []visit
	refs []ast.Ref
	// place is what the rule's value is, when passed.
	place   []string
	isPlace bool
}

func newFootprint(r *reach) *footprint {
	f := &footprint{r, map[visit]*visited{}, map[string][][]string{}, map[*ast.Rule]int{}, map[string]*ast.Rule{}, nil}
	for _, file := range sortedPaths(r.compiler.Modules) {
		module := r.compiler.Modules[file]
		for _, rule := range module.Rules {
			name := rule.Ref().String()
			if _, twice := f.named[name]; twice {
				f.named[name] = nil
			} else {
				f.named[name] = rule
			}
		}
		ast.WalkWiths(module, func(with *ast.With) bool {
			if target, is := with.Target.Value.(ast.Ref); is && !target.HasPrefix(ast.InputRootRef) {
				f.mocked = append(f.mocked, target)
			}
			return false
		})
	}
	return f
}

func (f *footprint) readsFrom(entrypoint ast.Ref) []read {
	all := []read{}
	seen, referred := map[visit]bool{}, map[string]bool{}
	var waiting []visit
	refer := func(ref ast.Ref) {
		text := ref.String()
		if referred[text] {
			return
		}
		referred[text] = true
		for _, rule := range f.reach.rulesOf(text, ref) {
			waiting = append(waiting, visit{rule: rule})
		}
	}
	refer(entrypoint)
	for len(waiting) > 0 {
		next := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if seen[next] {
			continue
		}
		seen[next] = true
		found := f.of(next)
		all = append(all, found.reads...)
		waiting = append(waiting, found.next...)
		for _, ref := range found.refs {
			refer(ref)
		}
	}
	return leastReads(all)
}

// of reads a rule for one visit, once. A rule that comes back to itself (through `with`) passes nothing on.
func (f *footprint) of(v visit) *visited {
	found, known := f.visits[v]
	if !known {
		f.visits[v] = &visited{}
		if v.arguments != "" {
			f.contexts[v.rule]++
		}
		found = f.visitOf(v)
		f.visits[v] = found
	}
	return found
}

// isMocked is true where `with` may put something else in the place of a name, or of what stands around it.
func (f *footprint) isMocked(name ast.Ref) bool {
	return slices.ContainsFunc(f.mocked, func(target ast.Ref) bool {
		return target.HasPrefix(name) || name.HasPrefix(target)
	})
}

// passing answers the rule at the beginning of a reference that passes on a place of the input, the place, and how
// many parts of the reference name the rule.
func (f *footprint) passing(ref ast.Ref) (v visit, path []string, length int, is bool) {
	if !ref.HasPrefix(ast.DefaultRootRef) {
		return visit{}, nil, 0, false
	}
	for length := len(constantNames(ref)) + 1; length > 1; length-- {
		text := ref[:length].String()
		rule := f.named[text]
		if rule == nil {
			continue
		}
		if len(rule.Head.Args) > 0 || len(f.reach.rulesOf(text, ref[:length])) != 1 || f.isMocked(ref[:length]) {
			return visit{}, nil, 0, false
		}
		v := visit{rule: rule, passed: true}
		found := f.of(v)
		return v, found.place, length, found.isPlace
	}
	return visit{}, nil, 0, false
}

// leastReads sorts and leaves out what another read covers.
func leastReads(all []read) []read {
	slices.SortFunc(all, func(a, b read) int {
		if order := slices.Compare(a.Path, b.Path); order != 0 {
			return order
		}
		if a.Shape == b.Shape {
			return compareLocations(a.at, b.at)
		}
		if a.Shape {
			return 1
		}
		return -1
	})
	kept := []read{}
	for _, next := range all {
		covered := slices.ContainsFunc(kept, func(k read) bool {
			return !k.Shape && isPrefix(k.Path, next.Path) || k.Shape == next.Shape && slices.Equal(k.Path, next.Path)
		})
		if !covered {
			kept = append(kept, next)
		}
	}
	return kept
}

func isPrefix(of, path []string) bool {
	return len(of) <= len(path) && slices.Equal(of, path[:len(of)])
}

func compareLocations(a, b *ast.Location) int {
	if a == nil || b == nil {
		return 0
	}
	return a.Compare(b)
}

func (r read) String() string {
	text := strings.Join(append([]string{"input"}, r.Path...), ".")
	if r.Shape {
		return text + "?"
	}
	return text
}
