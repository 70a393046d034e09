package main

import (
	"cmp"
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
	// Error is what a builtin of the expression said of its operands: it has no value then.
	Error string  `json:"error,omitempty"`
	Steps []*step `json:"steps,omitempty"`
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
	// rules are the values that hold here, and below those that hold for what current replaces by `with`.
	rules, below ruleValues
	// made is what this evaluation gives a value to, in the rules that it was begun with.
	made string
}

// follower is a tracer that keeps no events: it notes which rules were tried and what stopped them.
type follower struct {
	texts   texts
	data    map[string]any
	root    *step
	queries map[uint64]*followed
	count   int
	calls   failedCalls
}

func newFollower(sources texts, data map[string]any) *follower {
	return &follower{texts: sources, data: data, root: &step{}, queries: map[uint64]*followed{}, calls: failedCalls{}}
}

func (f *follower) Enabled() bool               { return true }
func (f *follower) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

func (f *follower) TraceEvent(event topdown.Event) {
	switch event.Op {
	case topdown.EnterOp:
		f.enter(&event)
	case topdown.EvalOp:
		if query, expr := f.at(&event); query != nil {
			query.current, query.below = expr, query.rules
			if len(expr.With) > 0 {
				query.below = ruleValues{}
			}
			query.learn(expr, event.LocalMetadata)
		}
	case topdown.FailOp:
		if query, expr := f.at(&event); query != nil {
			f.fail(query, expr, &event)
		}
	case topdown.ExitOp:
		if query := f.queries[event.QueryID]; query != nil && !query.closure {
			query.step.Held = true
			query.keep(&event)
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
		query := &followed{step: into, closure: true, aliases: map[ast.Var]string{}, rules: ruleValues{}}
		if parent != nil && parent.current != nil {
			_, every := parent.current.Terms.(*ast.Every)
			query.every = every || parent.every
			query.aliases, query.rules = parent.aliases, parent.below
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
	query := &followed{step: made, aliases: map[ast.Var]string{}, rules: ruleValues{}}
	if parent != nil && parent.below != nil {
		query.rules = parent.below
	}
	query.begin(rule)
	f.queries[event.QueryID] = query
}

func (f *follower) fail(query *followed, expr *ast.Expr, event *topdown.Event) {
	f.calls.count(expr)
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
	f.calls.stopped(expr, failed)
	if at := expr.Loc(); at != nil {
		failed.File, failed.Row = at.File, at.Row
	}
	names := naming{query.aliases, event.LocalMetadata}
	if missing, is := names.missing(expr); is {
		failed.Text = missing + " is undefined"
	} else {
		failed.Text = f.textOf(expr, names)
		failed.Values = f.values(query, names, expr, event)
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
