package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/server/types"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
	"github.com/open-policy-agent/opa/v1/topdown/lineage"
	"github.com/open-policy-agent/opa/v1/util"
)

type evaluation struct {
	Trace       string          `json:"trace,omitempty"`
	Printed     string          `json:"printed,omitempty"`
	Explanation json.RawMessage `json:"explanation,omitempty"`
	// Cut says that there were more steps, or more of an explanation, than are told.
	Cut bool `json:"cut,omitempty"`
	*steps
}

// evaluate runs a query in OPA's interpreter. The attachment is an array of its solutions, each an object of bindings.
func evaluate(q *query) reply {
	p, problems := parse(q)
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	compiler, problems := p.compiled(p.modules, func(c *ast.Compiler) { c.WithEnablePrintStatements(true) })
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	p.texts.add("", q.Query)
	var printed bytes.Buffer
	tracer := topdown.NewBufferTracer()
	options := []func(*rego.Rego){
		rego.Query(q.Query),
		rego.Compiler(compiler),
		rego.SetRegoVersion(versionOf(q.Version)),
		rego.Store(p.store()),
		rego.StrictBuiltinErrors(q.Strict),
		rego.EnablePrintStatements(true),
		rego.PrintHook(topdown.NewPrintHook(&printed)),
		// Terms as they are: OPA's JSON would lose sets and keys that are no strings.
		rego.GenerateJSON(func(term *ast.Term, _ *rego.EvalContext) (any, error) { return term, nil }),
	}
	if q.Input {
		input, err := readWhole(q.input)
		if err != nil {
			return reply{Crash: err.Error()}
		}
		options = append(options, rego.ParsedInput(input.Value))
	}
	choices := []rego.EvalOption{}
	if q.Trace || q.Explain != "" {
		choices = append(choices, rego.EvalQueryTracer(tracer))
	}
	if q.HasContext {
		choices = append(choices, rego.EvalTime(time.Unix(0, q.NowNs)), rego.EvalSeed(randomFrom(q.seed)))
	}
	var followed *follower
	var failed []topdown.Error
	if q.Steps {
		// An index would leave out the rules that cannot hold: here somebody asks why they do not.
		followed = newFollower(p.texts, p.data)
		choices = append(choices, rego.EvalQueryTracer(followed), rego.EvalRuleIndexing(false),
			rego.EvalBuiltinErrorList(&failed))
	}
	if len(q.Calls) > 0 {
		calls, err := callsOf(q.Calls)
		if err != nil {
			return reply{Crash: err.Error()}
		}
		choices = append(choices, rego.EvalNDBuiltinCache(calls))
	}
	prepared, err := rego.New(options...).PrepareForEval(context.Background())
	if err != nil {
		return reply{Problems: p.texts.of(err)}
	}
	results, err := prepared.Eval(context.Background(), choices...)
	if err != nil {
		return reply{Problems: p.texts.of(err)}
	}
	solutions, err := appendValue(nil, solutionsOf(q, results), 0)
	if err != nil {
		return reply{Problems: p.texts.of(err)}
	}
	answer := evaluation{Printed: printed.String()}
	if q.Trace {
		var text strings.Builder
		topdown.PrettyTraceWithLocation(&text, *tracer)
		answer.Trace = text.String()
	}
	if q.Explain != "" {
		if answer.Explanation, answer.Cut, err = explanationOf(*tracer, q.Explain, q.Pretty); err != nil {
			return reply{Crash: err.Error()}
		}
	}
	if followed != nil {
		followed.calls.tell(failed)
		answer.steps = followed.found()
		answer.Cut = answer.steps.Cut
	}
	return reply{Result: answer, attachment: solutions}
}

// callsOf reads a record's nd_builtin_cache: results by builtin and by operands, which are JSON in a member's name.
func callsOf(text []byte) (builtins.NDBCache, error) {
	var recorded map[string]map[string]any
	if err := util.UnmarshalJSON(text, &recorded); err != nil {
		return nil, err
	}
	calls := builtins.NDBCache{}
	for builtin, results := range recorded {
		for key, result := range results {
			var operands any
			if err := util.UnmarshalJSON([]byte(key), &operands); err != nil {
				return nil, err
			}
			asked, err := ast.InterfaceToValue(operands)
			if err != nil {
				return nil, err
			}
			answered, err := ast.InterfaceToValue(result)
			if err != nil {
				return nil, err
			}
			calls.Put(builtin, asked, answered)
		}
	}
	return calls, nil
}

// longestExplanation is in bytes: other threads read it, one of them while it answers others.
const longestExplanation = 4 << 20

// explanationOf is the member `explanation` of OPA's Data API, and whether it is only the beginning of it.
func explanationOf(trace []*topdown.Event, level string, pretty bool) (json.RawMessage, bool, error) {
	filter := map[string]func([]*topdown.Event) []*topdown.Event{
		"notes": lineage.Notes, "fails": lineage.Fails, "full": lineage.Full, "debug": lineage.Debug,
	}[level]
	if filter == nil {
		return nil, false, fmt.Errorf("unknown level %q", level)
	}
	events := filter(trace)
	if pretty {
		var text beginning
		topdown.PrettyTraceWithLocation(&text, events)
		lines, err := json.Marshal(strings.Split(strings.Trim(text.String(), "\n"), "\n"))
		return lines, text.cut, err
	}
	// One by one: all of them as JSON can be a hundred times as long as what is kept.
	kept := []byte{'['}
	for _, event := range events {
		text, err := types.NewTraceV1([]*topdown.Event{event}, false)
		if err != nil {
			return nil, false, err
		}
		if len(kept)+len(text) > longestExplanation {
			return append(kept, ']'), true, nil
		}
		if len(kept) > 1 {
			kept = append(kept, ',')
		}
		kept = append(kept, text[1:len(text)-1]...)
	}
	return append(kept, ']'), false, nil
}

// beginning keeps what is written first, line by line.
type beginning struct {
	strings.Builder
	cut bool
}

func (b *beginning) Write(line []byte) (int, error) {
	if b.cut = b.cut || b.Len()+len(line) > longestExplanation; b.cut {
		return len(line), nil
	}
	return b.Builder.Write(line)
}

func solutionsOf(q *query, results rego.ResultSet) ast.Value {
	named := hasValue(q)
	var solutions []*ast.Term
	for _, result := range results {
		bindings := ast.NewObject()
		if value, is := valueOf(result); is && named {
			bindings.Insert(ast.StringTerm("result"), value)
		}
		for name, value := range result.Bindings {
			if term, is := value.(*ast.Term); is {
				bindings.Insert(ast.StringTerm(name), term)
			}
		}
		solutions = append(solutions, ast.NewTerm(bindings))
	}
	return ast.NewArray(solutions...)
}

// The value of a query that is one expression, and no assignment or unification, is bound to `result`.
func hasValue(q *query) bool {
	body, err := ast.ParseBodyWithOpts(q.Query, ast.ParserOptions{RegoVersion: versionOf(q.Version)})
	return err == nil && len(body) == 1 && !body[0].IsAssignment() && !body[0].IsEquality()
}

func valueOf(result rego.Result) (*ast.Term, bool) {
	if len(result.Expressions) == 0 {
		return nil, false
	}
	switch value := result.Expressions[0].Value.(type) {
	case *ast.Term:
		return value, true
	case bool:
		return ast.BooleanTerm(value), true
	}
	return nil, false
}
