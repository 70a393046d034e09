package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// spot is a place in the sources; it stands nowhere when all are zero.
type spot struct {
	File string `json:"file"`
	Row  int    `json:"row"`
	Col  int    `json:"col"`
}

func placeOf(location *ast.Location) spot {
	if location == nil {
		return spot{}
	}
	return spot{location.File, location.Row, location.Col}
}

// caching is what the answers of an entrypoint rest on, and where in the sources: each thing once, at the first place.
type caching struct {
	Reads []placedRead `json:"reads"`
	// Data are the places of data that no rule defines, as far as they are constant.
	Data  []reference  `json:"data"`
	Calls []placedCall `json:"calls"`
}

type placedRead struct {
	read
	// Why is what keeps the place from being a smaller one; nothing where it is meant.
	Why string `json:"why,omitempty"`
	spot
}

// placedCall is a call of a builtin whose answers depend on more than its operands, or that looks into tokens.
type placedCall struct {
	Builtin string `json:"builtin"`
	// Window is whether all that is made of a call of now tells until when it holds.
	Window bool `json:"window,omitempty"`
	spot
}

// cachingOf says it of an entrypoint whose reads are known.
func (r *reach) cachingOf(entrypoint ast.Ref, reads []read) *caching {
	answer := &caching{[]placedRead{}, []reference{}, []placedCall{}}
	for _, one := range reads {
		answer.Reads = append(answer.Reads, placedRead{one, one.why, placeOf(one.at)})
	}
	for _, rule := range r.rulesFrom(entrypoint) {
		walkTerms(rule, func(term *ast.Term, at *ast.Location) {
			if ref, is := dataRef(term); is {
				if len(r.rulesOf(ref.String(), ref)) == 0 {
					where := placeOf(at)
					answer.Data = append(answer.Data, reference{constantNames(ref), where.File, where.Row, where.Col})
				}
				return
			}
			if r.isWatched(term) {
				answer.Calls = append(answer.Calls, placedCall{term.Value.String(), false, placeOf(at)})
			} else if isTwinOfNow(term) {
				answer.Calls = append(answer.Calls, placedCall{nowName, true, placeOf(at)})
			}
		})
	}
	slices.SortFunc(answer.Data, func(a, b reference) int {
		return cmp.Or(slices.Compare(a.Path, b.Path), compareReferences(a, b))
	})
	answer.Data = slices.CompactFunc(answer.Data, func(a, b reference) bool { return slices.Equal(a.Path, b.Path) })
	slices.SortFunc(answer.Calls, func(a, b placedCall) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col))
	})
	answer.Calls = slices.Compact(answer.Calls)
	return answer
}

// isWatched is true for the name of a builtin that caching tells of. Local names are generated in compiled rules.
func (r *reach) isWatched(term *ast.Term) bool {
	switch term.Value.(type) {
	case ast.Ref, ast.Var:
	default:
		return false
	}
	name := term.Value.String()
	if _, known := r.known[name]; !known {
		return false
	}
	builtin := ast.BuiltinMap[name]
	return builtin != nil && builtin.Nondeterministic || strings.HasPrefix(name, "io.jwt.") ||
		strings.HasPrefix(name, "crypto.x509.parse_and_verify")
}
