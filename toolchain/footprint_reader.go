package main

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Why a place is no smaller one.
const (
	// The names that lead on are known when a question comes.
	whyDynamic = "dynamic"
	// A part of the input is replaced: the rest of it is copied, and what is no object fails in ways of its own.
	whyReplaced = "replaced"
	// A construct that is not looked into.
	whyUnknown = "unknown"
)

// reader walks one rule. Compiled rules bind what they read to variables; a variable that is bound once, to a place of
// the input, stands for that place (an alias), so that reading a member of it is no reading of its neighbours.
type reader struct {
	*footprint
	aliases map[ast.Var][]string
	// definitions are the equations that bind the aliases, and calls those calls of functions that do.
	definitions map[*ast.Expr]ast.Var
	calls       map[*ast.Expr]visit
	found       []read
	next        []visit
	// followed counts the references to rules that are among next.
	followed map[*ast.Term]int
	at       *ast.Location
}

func (f *footprint) visitOf(v visit) *visited {
	r := &reader{f, map[ast.Var][]string{}, map[*ast.Expr]ast.Var{}, map[*ast.Expr]visit{}, nil, nil,
		map[*ast.Term]int{}, v.rule.Loc()}
	given := f.arguments[v.arguments]
	isPlace := func(at int) bool { return at < len(given) && given[at] != nil }
	for branch := v.rule; branch != nil; branch = branch.Else {
		for at, argument := range branch.Head.Args {
			if name, is := argument.Value.(ast.Var); is && isPlace(at) {
				r.aliases[name] = given[at]
			}
		}
	}
	r.findAliases(v.rule)
	answer := &visited{}
	for branch := v.rule; branch != nil; branch = branch.Else {
		r.at = branch.Loc()
		for _, part := range branch.Head.Reference {
			r.value(part)
		}
		for at, argument := range branch.Head.Args {
			if !isPlace(at) {
				r.value(argument)
			}
		}
		if branch.Head.Key != nil {
			r.value(branch.Head.Key)
		}
		if branch.Head.Value != nil {
			if v.passed && v.rule.Else == nil && !v.rule.Default && branch.Head.Key == nil {
				answer.place, answer.isPlace = r.place(branch.Head.Value)
			}
			if answer.isPlace {
				r.shape(answer.place, branch.Head.Value)
			} else {
				r.value(branch.Head.Value)
			}
		}
		r.body(branch.Body)
	}
	answer.reads, answer.next = leastReads(r.found), r.next
	unread := maps.Clone(r.followed)
	walkTerms(v.rule, func(term *ast.Term, _ *ast.Location) {
		if ref, is := dataRef(term); is {
			if unread[term]--; unread[term] < 0 {
				answer.refs = append(answer.refs, ref)
			}
		}
	})
	return answer
}

func (r *reader) add(path []string, shape bool, term *ast.Term, why string) {
	at := r.at
	if term != nil {
		at = placed(term.Location, at)
	}
	// A copy that is never nil: no names mean all of the input, and JSON has no other empty list for it.
	r.found = append(r.found, read{append([]string{}, path...), shape, at, why})
}

// shape takes a term that stands for a place of which only the kind counts here.
func (r *reader) shape(path []string, term *ast.Term) {
	r.add(path, true, term, "")
	r.follow(term)
}

// follow takes a reference that begins with a rule that stands for a place.
func (r *reader) follow(term *ast.Term) {
	ref, is := dataRef(term)
	if !is {
		return
	}
	if v, _, _, is := r.passing(ref); is {
		r.next = append(r.next, v)
		r.followed[term]++
	}
}

func (r *reader) body(body ast.Body) {
	for _, expr := range body {
		r.expr(expr)
	}
}

func (r *reader) expr(expr *ast.Expr) {
	defer func(before *ast.Location) { r.at = before }(r.at)
	r.at = placed(expr.Location, r.at)
	for _, with := range expr.With {
		r.value(with.Value)
		if target, is := with.Target.Value.(ast.Ref); is && target.HasPrefix(ast.InputRootRef) && len(target) > 1 {
			r.add(nil, false, with.Target, whyReplaced)
		}
	}
	if name, is := r.definitions[expr]; is {
		for side := range 2 {
			// One side is the name.
			if term := expr.Operand(1 - side); expr.Operand(side).Value.Compare(name) == 0 {
				r.shape(r.aliases[name], term)
				return
			}
		}
	}
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		if path, is := r.place(terms); is {
			r.shape(path, terms)
			return
		}
		r.value(terms)
	case []*ast.Term:
		if r.objectGet(expr) || r.call(expr) {
			return
		}
		for _, term := range terms {
			r.value(term)
		}
	case *ast.Every:
		r.value(terms.Domain)
		r.body(terms.Body)
	case *ast.SomeDecl:
		for _, symbol := range terms.Symbols {
			r.value(symbol)
		}
	default:
		r.add(nil, false, nil, whyUnknown)
	}
}

// value takes a term whose whole value counts, and everything inside it.
func (r *reader) value(term *ast.Term) {
	switch value := term.Value.(type) {
	case ast.Var:
		if path, is := r.aliases[value]; is {
			r.add(path, false, term, "")
		} else if value.Equal(ast.InputRootDocument.Value) {
			r.add(nil, false, term, "")
		}
	case ast.Ref:
		path, constant, from := r.prefix(value)
		if from && constant {
			r.add(path, false, term, "")
			r.follow(term)
			return
		}
		if from {
			r.add(path, false, term, whyDynamic)
			r.follow(term)
		}
		for i, part := range value {
			if i > 0 || !from {
				r.value(part)
			}
		}
	case ast.Call:
		for _, part := range value {
			r.value(part)
		}
	case ast.Null, ast.Boolean, ast.Number, ast.String:
	default:
		if !within(value, r.value, r.body) {
			r.add(nil, false, term, whyUnknown)
		}
	}
}

// within hands on what a collection or comprehension is made of; false for any other value.
func within(value ast.Value, part func(*ast.Term), body func(ast.Body)) bool {
	switch value := value.(type) {
	case *ast.Array:
		value.Foreach(part)
	case ast.Set:
		value.Foreach(part)
	case ast.Object:
		value.Foreach(func(key, item *ast.Term) {
			part(key)
			part(item)
		})
	case *ast.ArrayComprehension:
		part(value.Term)
		body(value.Body)
	case *ast.SetComprehension:
		part(value.Term)
		body(value.Body)
	case *ast.ObjectComprehension:
		part(value.Key)
		part(value.Value)
		body(value.Body)
	default:
		return false
	}
	return true
}

// place answers where in the input a term stands, when constant names lead there all the way.
func (r *reader) place(term *ast.Term) ([]string, bool) {
	switch value := term.Value.(type) {
	case ast.Var:
		if value.Equal(ast.InputRootDocument.Value) {
			return []string{}, true
		}
		path, is := r.aliases[value]
		return path, is
	case ast.Ref:
		path, constant, from := r.prefix(value)
		return path, constant && from
	}
	return nil, false
}

// prefix answers the place that the constant names at the beginning of a reference lead to, whether nothing else
// follows, and whether it begins in the input at all. A number is no name: it indexes arrays.
func (r *reader) prefix(ref ast.Ref) (path []string, constant, from bool) {
	if _, passed, length, is := r.passing(ref); is {
		names := constantNames(ref[length-1:])
		return slices.Concat(passed, names), len(names) == len(ref)-length, true
	}
	head, is := ref[0].Value.(ast.Var)
	if !is {
		return nil, false, false
	}
	if path, is = r.aliases[head]; !is && !head.Equal(ast.InputRootDocument.Value) {
		return nil, false, false
	}
	names := constantNames(ref)
	return slices.Concat(path, names), len(names) == len(ref)-1, true
}
