package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// step is a rule that was tried, or an expression that did not hold.
type step struct {
	// Rule is a reference such as data.todo.allow; absent for an expression.
	Rule    string `json:"rule,omitempty"`
	Default bool   `json:"default,omitempty"`
	// Text is the expression as it stands in the source, or what can be said of it.
	Text string `json:"text,omitempty"`
	Held bool   `json:"held"`
	File string `json:"file,omitempty"`
	Row  int    `json:"row,omitempty"`
	// Values are what the references and variables of an expression stood for.
	Values []namedValue `json:"values,omitempty"`
	Steps  []*step      `json:"steps,omitempty"`
	// More is how many definitions of this step's rule did not hold either, and failed earlier.
	More int `json:"more,omitempty"`

	progress, failures int
}

type namedValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type steps struct {
	Steps []*step `json:"steps"`
	// Cut says that there was more than anybody reads.
	Cut bool `json:"cut,omitempty"`
}

const (
	mostSteps      = 20_000
	mostFailures   = 5
	mostSiblings   = 10
	longestValue   = 200
	longestExcerpt = 300
)

// followed is one evaluation of a rule's body or of a closure within one.
type followed struct {
	step *step
	// Of a closure: only those of `every` say why the expression around them failed.
	closure, every bool
	aliases        map[ast.Var]string
	current        *ast.Expr
}

// follower is a tracer that keeps no events: it notes which rules were tried and what stopped them.
type follower struct {
	texts   texts
	data    map[string]any
	root    *step
	queries map[uint64]*followed
	count   int
}

func newFollower(sources texts, data map[string]any) *follower {
	return &follower{texts: sources, data: data, root: &step{}, queries: map[uint64]*followed{}}
}

func (f *follower) Enabled() bool               { return true }
func (f *follower) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

func (f *follower) TraceEvent(event topdown.Event) {
	switch event.Op {
	case topdown.EnterOp:
		f.enter(&event)
	case topdown.EvalOp:
		if query, expr := f.at(&event); query != nil {
			query.current = expr
			query.learn(expr, event.LocalMetadata)
		}
	case topdown.FailOp:
		if query, expr := f.at(&event); query != nil {
			f.fail(query, expr, &event)
		}
	case topdown.ExitOp:
		if query := f.queries[event.QueryID]; query != nil && !query.closure {
			query.step.Held = true
		}
	}
}

func (f *follower) at(event *topdown.Event) (*followed, *ast.Expr) {
	expr, is := event.Node.(*ast.Expr)
	if !is {
		return nil, nil
	}
	return f.queries[event.QueryID], expr
}

func (f *follower) enter(event *topdown.Event) {
	parent := f.queries[event.ParentID]
	into := f.root
	if parent != nil {
		into = parent.step
	}
	rule, is := event.Node.(*ast.Rule)
	if !is {
		query := &followed{step: into, closure: true, aliases: map[ast.Var]string{}}
		if parent != nil && parent.current != nil {
			_, every := parent.current.Terms.(*ast.Every)
			query.every = every || parent.every
			query.aliases = parent.aliases
		}
		f.queries[event.QueryID] = query
		return
	}
	if f.count++; f.count > mostSteps {
		return
	}
	made := &step{Rule: rule.Ref().String(), Default: rule.Default}
	if at := rule.Loc(); at != nil {
		made.File, made.Row = at.File, at.Row
	}
	into.Steps = append(into.Steps, made)
	f.queries[event.QueryID] = &followed{step: made, aliases: map[ast.Var]string{}}
}

func (f *follower) fail(query *followed, expr *ast.Expr, event *topdown.Event) {
	if query.closure && !query.every || query.step == f.root {
		return
	}
	if query.step.progress < expr.Index {
		query.step.progress = expr.Index
	}
	if query.step.failures >= mostFailures {
		return
	}
	failed := &step{}
	if at := expr.Loc(); at != nil {
		failed.File, failed.Row = at.File, at.Row
	}
	names := naming{query.aliases, event.LocalMetadata}
	if missing, is := names.missing(expr); is {
		failed.Text = missing + " is undefined"
	} else {
		failed.Text = f.textOf(expr, names)
		failed.Values = f.values(names, expr, event)
	}
	same := func(one *step) bool {
		return one.Rule == "" && one.Text == failed.Text && one.Row == failed.Row && slices.Equal(one.Values, failed.Values)
	}
	if !slices.ContainsFunc(query.step.Steps, same) {
		query.step.failures++
		query.step.Steps = append(query.step.Steps, failed)
	}
}

func (f *follower) textOf(expr *ast.Expr, names naming) string {
	text := ""
	if at := expr.Loc(); at != nil {
		text = string(at.Text)
	}
	if text == "" {
		text = names.text(expr)
	}
	return shortened(strings.Join(strings.Fields(text), " "), longestExcerpt)
}

func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// found is the whole as a person reads it: what held first hides what its alternatives failed on, and of many
// definitions that failed those come first that got farthest.
func (f *follower) found() *steps {
	prune(f.root)
	return &steps{Steps: f.root.Steps, Cut: f.count > mostSteps}
}

func prune(of *step) {
	if of.Held {
		of.Steps = slices.DeleteFunc(of.Steps, func(one *step) bool { return one.Rule == "" })
	}
	groups := map[string][]*step{}
	for _, one := range of.Steps {
		prune(one)
		if one.Rule != "" && !one.Held {
			groups[one.Rule] = append(groups[one.Rule], one)
		}
	}
	dropped := map[*step]bool{}
	for _, group := range groups {
		if len(group) <= mostSiblings {
			continue
		}
		slices.SortStableFunc(group, func(a, b *step) int { return cmp.Compare(b.progress, a.progress) })
		group[mostSiblings-1].More = len(group) - mostSiblings
		for _, one := range group[mostSiblings:] {
			dropped[one] = true
		}
	}
	of.Steps = slices.DeleteFunc(of.Steps, func(one *step) bool { return dropped[one] })
}

// learn remembers what a variable that the compiler made stands for.
func (q *followed) learn(expr *ast.Expr, metadata map[ast.Var]topdown.VarMetadata) {
	names := naming{q.aliases, metadata}
	switch {
	case expr.IsEquality():
		q.alias(expr.Operand(0), func() string { return names.text(expr.Operand(1)) })
	case expr.IsCall():
		operands := expr.Operands()
		if len(operands) == 0 {
			return
		}
		last := len(operands) - 1
		q.alias(operands[last], func() string { return names.call(expr, operands[:last]) })
	}
}

// The first expression that has such a variable is the one that makes its value.
func (q *followed) alias(term *ast.Term, text func() string) {
	made, is := generated(term)
	if _, known := q.aliases[made]; is && !known {
		q.aliases[made] = text()
	}
}

func generated(term *ast.Term) (ast.Var, bool) {
	if term == nil {
		return "", false
	}
	name, is := term.Value.(ast.Var)
	return name, is && name.IsGenerated()
}

// naming gives what compiled expressions are made of the names that its author knows.
type naming struct {
	aliases  map[ast.Var]string
	metadata map[ast.Var]topdown.VarMetadata
}

// isAuthors says that a variable stands in the source.
func (n naming) isAuthors(name ast.Var) bool {
	known, is := n.metadata[name]
	return is && !known.Name.IsGenerated()
}

func (n naming) nameOf(name ast.Var) string {
	if n.isAuthors(name) {
		return string(n.metadata[name].Name)
	}
	return n.aliases[name]
}

func (n naming) text(node ast.Node) string {
	var copied ast.Node
	switch value := node.(type) {
	case *ast.Expr:
		copied = value.Copy()
	case *ast.Term:
		copied = value.Copy()
	default:
		return fmt.Sprint(node)
	}
	changed, err := ast.TransformVars(copied, func(name ast.Var) (ast.Value, error) {
		if known := n.nameOf(name); known != "" {
			return ast.Var(known), nil
		}
		return name, nil
	})
	if err != nil {
		return fmt.Sprint(node)
	}
	return fmt.Sprint(changed)
}

func (n naming) call(expr *ast.Expr, operands []*ast.Term) string {
	texts := make([]string, len(operands))
	for at, operand := range operands {
		texts[at] = n.text(operand)
	}
	return fmt.Sprintf("%s(%s)", expr.Operator(), strings.Join(texts, ", "))
}

// missing is the reference whose value a variable of the compiler's was to take, and which has none.
func (n naming) missing(expr *ast.Expr) (string, bool) {
	if expr.Negated || !expr.IsEquality() {
		return "", false
	}
	_, made := generated(expr.Operand(0))
	_, reference := expr.Operand(1).Value.(ast.Ref)
	return n.text(expr.Operand(1)), made && reference
}

func (f *follower) values(n naming, expr *ast.Expr, event *topdown.Event) []namedValue {
	found := []namedValue{}
	add := func(name string, value ast.Value) {
		known := slices.ContainsFunc(found, func(one namedValue) bool { return one.Name == name })
		if name != "" && value != nil && !known {
			found = append(found, namedValue{name, shortened(value.String(), longestValue)})
		}
	}
	ast.NewGenericVisitor(func(node any) bool {
		switch value := node.(type) {
		case *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension, *ast.Every:
			return true
		case ast.Ref:
			if at := f.documentAt(value, event); at != nil {
				add(n.text(ast.NewTerm(value)), at)
				return true
			}
			if value.HasPrefix(ast.InputRootRef) && value.IsGround() {
				add(n.text(ast.NewTerm(value)), ast.Var("undefined"))
			}
		case ast.Var:
			if event.Locals != nil {
				add(n.nameOf(value), event.Locals.Get(value))
			}
		}
		return false
	}).Walk(expr)
	return found
}

// documentAt is the value of a reference to the input, or to data that no rule defines, as far as it has one.
func (f *follower) documentAt(ref ast.Ref, event *topdown.Event) ast.Value {
	path := make(ast.Ref, 0, len(ref))
	for _, term := range ref[1:] {
		if name, is := term.Value.(ast.Var); is {
			if event.Locals == nil {
				return nil
			}
			value := event.Locals.Get(name)
			if value == nil {
				return nil
			}
			term = ast.NewTerm(value)
		}
		path = append(path, term)
	}
	switch {
	case event.Input() != nil && ref.HasPrefix(ast.InputRootRef):
		if found, err := event.Input().Value.Find(path); err == nil {
			return found
		}
	case ref.HasPrefix(ast.DefaultRootRef):
		return dataAt(f.data, path)
	}
	return nil
}

func dataAt(document any, path ast.Ref) ast.Value {
	for _, term := range path {
		object, is := document.(map[string]any)
		name, named := term.Value.(ast.String)
		if !is || !named {
			return nil
		}
		if document, is = object[string(name)]; !is {
			return nil
		}
	}
	found, err := ast.InterfaceToValue(document)
	if err != nil {
		return nil
	}
	return found
}
