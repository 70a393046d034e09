package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// failure is an expression that did not hold, with what was known when it failed.
type failure struct {
	head     *ast.Head
	expr     *ast.Expr
	locals   *ast.ValueMap
	metadata map[ast.Var]topdown.VarMetadata
	aliases  map[ast.Var]string
}

// watchedQuery is an evaluation of the test's body (depth 0), of the domain of an `every` in it (1) or of its body (2).
type watchedQuery struct {
	followed
	depth  int
	locals *ast.ValueMap
}

// failureTracer watches the body of one test rule and keeps the expression that got furthest before it failed.
type failureTracer struct {
	rule    *ast.Location
	queries map[uint64]*watchedQuery
	last    *failure
	// inner is what failed last in the body of an `every`.
	inner *failure
	index int
	head  *ast.Head
}

func (*failureTracer) Enabled() bool { return true }

func (*failureTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

func (t *failureTracer) TraceEvent(event topdown.Event) {
	if event.Op == topdown.EnterOp {
		t.enter(&event)
		return
	}
	expr, is := event.Node.(*ast.Expr)
	query := t.queries[event.QueryID]
	if !is || query == nil {
		return
	}
	switch event.Op {
	case topdown.EvalOp:
		query.current, query.locals = expr, event.Locals
		query.learn(expr, event.LocalMetadata)
	case topdown.FailOp:
		t.fail(query, expr, &event)
	}
}

func (t *failureTracer) enter(event *topdown.Event) {
	if t.queries == nil {
		t.queries = map[uint64]*watchedQuery{}
	}
	if rule, is := event.Node.(*ast.Rule); is {
		if rule.Loc().Equal(t.rule) {
			t.head = rule.Head
			t.queries[event.QueryID] = &watchedQuery{followed: followed{aliases: map[ast.Var]string{}}}
		}
		return
	}
	parent := t.queries[event.ParentID]
	if parent == nil || parent.current == nil {
		return
	}
	depth := 1
	if _, every := parent.current.Terms.(*ast.Every); !every {
		if depth = parent.depth + 1; depth != 2 {
			return
		}
	}
	t.queries[event.QueryID] = &watchedQuery{
		followed: followed{aliases: parent.aliases}, depth: depth, locals: parent.locals,
	}
}

func (t *failureTracer) fail(query *watchedQuery, expr *ast.Expr, event *topdown.Event) {
	if expr.Location == nil || query.depth == 1 {
		return
	}
	found := &failure{t.head, expr, event.Locals, event.LocalMetadata, query.aliases}
	if query.depth == 2 {
		// What the rule around it had bound counts, too.
		found.locals = united(event.Locals, query.locals)
		t.inner = found
		return
	}
	if t.last != nil && expr.Index < t.index {
		return
	}
	t.last, t.index = found, expr.Index
	if _, every := expr.Terms.(*ast.Every); every && t.inner != nil {
		t.last = t.inner
	}
}

func united(of, more *ast.ValueMap) *ast.ValueMap {
	all := ast.NewValueMap()
	for _, each := range []*ast.ValueMap{more, of} {
		if each != nil {
			each.Iter(func(name, value ast.Value) bool {
				all.Put(name, value)
				return false
			})
		}
	}
	return all
}

const mostValues = 6

// asking gives the value of a ground reference to data or input, as it is with these replacements; false: it has none.
type asking func(ref ast.Ref, with []*ast.With, options ...rego.EvalOption) (ast.Value, bool)

// values are what the references and variables of the expression stood for; of a reference into a rule's value also the
// whole of that.
func (f *failure) values(ask asking, isRule func(ast.Ref) bool) []namedValue {
	c := &collection{failure: f, names: naming{f.aliases, f.metadata}, ask: ask, isRule: isRule}
	base := f.expr.BaseCogeneratedExpr()
	for _, expr := range append([]*ast.Expr{f.expr, base}, base.CogeneratedExprs()...) {
		with := f.replacements(expr.With)
		visitOperands(expr, func(ref ast.Ref) { c.reference(ref, with) }, c.variable)
	}
	// The case of a test that has many, and what it is asked with.
	c.variables(f.head)
	for _, with := range f.expr.With {
		if name, is := generated(with.Value); is && !c.names.isAuthors(name) {
			c.add(with.Target.String(), f.locals.Get(name))
		} else {
			c.variables(with.Value)
		}
	}
	return c.found
}

// collection is the values of a failure, each name once.
type collection struct {
	*failure
	names  naming
	ask    asking
	isRule func(ast.Ref) bool
	found  []namedValue
}

func (c *collection) isOpen(name string) bool {
	return name != "" && len(c.found) < mostValues &&
		!slices.ContainsFunc(c.found, func(one namedValue) bool { return one.Name == name })
}

func (c *collection) add(name string, value ast.Value) {
	if value != nil && c.isOpen(name) {
		c.found = append(c.found, namedValue{name, shortened(value.String(), longestValue)})
	}
}

func (c *collection) variable(name ast.Var) {
	c.add(c.names.nameOf(name), c.locals.Get(name))
}

func (c *collection) variables(node any) {
	ast.WalkVars(node, func(name ast.Var) bool {
		c.variable(name)
		return false
	})
}

func (c *collection) reference(ref ast.Ref, with []*ast.With) {
	path, is := c.ground(ref)
	if !is {
		return
	}
	c.asked(c.names.text(ast.NewTerm(ref)), path, with)
	for length := 2; length < len(path); length++ {
		if c.isRule(path[:length]) {
			c.asked(path[:length].String(), path[:length], with)
			return
		}
	}
}

func (c *collection) asked(name string, path ast.Ref, with []*ast.With) {
	if !c.isOpen(name) {
		return
	}
	if value, is := c.ask(path, with); is {
		c.add(name, value)
	} else {
		c.found = append(c.found, namedValue{name, "undefined"})
	}
}

// visitOperands calls back for references to data and input, and for variables, outside closures and of no function.
func visitOperands(expr *ast.Expr, reference func(ast.Ref), variable func(ast.Var)) {
	visitor := ast.NewGenericVisitor(func(node any) bool {
		switch value := node.(type) {
		case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension:
			return true
		case ast.Ref:
			if value.HasPrefix(ast.DefaultRootRef) || value.HasPrefix(ast.InputRootRef) {
				reference(value)
				return true
			}
		case ast.Var:
			variable(value)
		}
		return false
	})
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		visitor.Walk(terms)
	case *ast.Every:
		visitor.Walk(terms.Domain)
	case []*ast.Term:
		for _, operand := range terms[1:] {
			visitor.Walk(operand)
		}
	}
}

// ground puts what is known in the place of variables; false when some are not known.
func (f *failure) ground(ref ast.Ref) (ast.Ref, bool) {
	path := ref.Copy()
	for at, term := range path[1:] {
		known, is := f.plugged(term)
		if !is {
			return nil, false
		}
		path[at+1] = known
	}
	return path, true
}

func (f *failure) plugged(term *ast.Term) (*ast.Term, bool) {
	changed, err := ast.TransformVars(term.Copy().Value, func(name ast.Var) (ast.Value, error) {
		if value := f.locals.Get(name); value != nil {
			return value, nil
		}
		return name, nil
	})
	if value, is := changed.(ast.Value); is && err == nil {
		return ast.NewTerm(value), value.IsGround()
	}
	return nil, false
}

// replacements are those of an expression, with what is known in the place of variables.
func (f *failure) replacements(all []*ast.With) []*ast.With {
	made := make([]*ast.With, 0, len(all))
	for _, with := range all {
		copied := with.Copy()
		if value, is := f.plugged(with.Value); is {
			copied.Value = value
		}
		made = append(made, copied)
	}
	return made
}
