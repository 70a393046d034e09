package main

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

type evaluation struct {
	Trace   string `json:"trace,omitempty"`
	Printed string `json:"printed,omitempty"`
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
	if q.Trace {
		options = append(options, rego.QueryTracer(tracer))
	}
	if q.HasContext {
		options = append(options, rego.Time(time.Unix(0, q.NowNs)), rego.Seed(randomFrom(q.seed)))
	}
	results, err := rego.New(options...).Eval(context.Background())
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
	return reply{Result: answer, attachment: solutions}
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
