package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/tester"
)

type testResult struct {
	Package string `json:"package"`
	Name    string `json:"name"`
	File    string `json:"file"`
	Row     int    `json:"row"`
	Outcome string `json:"outcome"`
	Message string `json:"message,omitempty"`
	// Values are what the references and variables of the expression that was not true stood for.
	Values     []namedValue `json:"values,omitempty"`
	DurationNs int64        `json:"durationNs"`
	Output     string       `json:"output,omitempty"`
}

type testReport struct {
	Results  []testResult    `json:"results"`
	Coverage json.RawMessage `json:"coverage,omitempty"`
}

// OPA's own limit of five seconds a test cannot stop a rule that runs for ever in here: the host's deadline does.
const perTest = 24 * time.Hour

// runTests runs the test rules in OPA's interpreter, one after the other, in whatever order; the report is sorted.
func runTests(q *query) reply {
	p, problems := parse(q)
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	filter, err := regexp.Compile(q.Run)
	if err != nil {
		return reply{Problems: []problem{{Code: "run_invalid", Message: err.Error()}}}
	}
	// The runner compiles by itself, and names ten problems; this names them all.
	if _, problems = p.compiled(p.modules, nil); len(problems) > 0 {
		return reply{Problems: problems}
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithEnablePrintStatements(true)
	runner := p.runner(compiler).SetModules(p.modules).CapturePrintOutput(true).Filter(q.Run)
	var covered *cover.Cover
	if q.Coverage {
		covered = cover.New()
		runner.SetCoverageQueryTracer(covered)
	}
	done, total := 0, p.countTests(filter)
	report("test", done, total)
	found, err := p.results(runner, func() {
		done++
		report("test", done, total)
	})
	if err != nil {
		return reply{Problems: p.texts.of(err)}
	}
	answer := testReport{Results: []testResult{}}
	for _, result := range found {
		described := p.describe(result)
		if result.Fail {
			described.Message, described.Values = p.explain(compiler, result)
		}
		answer.Results = append(answer.Results, described)
	}
	if covered != nil {
		if answer.Coverage, err = json.Marshal(covered.Report(p.modules)); err != nil {
			return reply{Problems: p.texts.of(err)}
		}
	}
	return reply{Result: answer}
}

func (p *parsed) runner(compiler *ast.Compiler) *tester.Runner {
	return tester.NewRunner().SetCompiler(compiler).SetParallel(1).SetTimeout(perTest)
}

func (p *parsed) results(runner *tester.Runner, each func()) ([]*tester.Result, error) {
	ctx := context.Background()
	store := p.store()
	transaction, err := store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, transaction)
	arriving, err := runner.SetStore(store).RunTests(ctx, transaction)
	if err != nil {
		return nil, err
	}
	var all []*tester.Result
	for result := range arriving {
		all = append(all, result)
		each()
	}
	slices.SortFunc(all, func(a, b *tester.Result) int {
		return cmp.Or(cmp.Compare(a.Location.File, b.Location.File), cmp.Compare(a.Location.Row, b.Location.Row),
			cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

func (p *parsed) countTests(filter *regexp.Regexp) int {
	count := 0
	for _, module := range p.modules {
		for _, rule := range module.Rules {
			if _, is := testName(rule); is && filter.MatchString(rule.Ref().GroundPrefix().String()) {
				count++
			}
		}
	}
	return count
}

func (p *parsed) describe(result *tester.Result) testResult {
	outcome, message := "passed", ""
	switch {
	case result.Skip:
		outcome = "skipped"
	case result.Error != nil:
		outcome, message = "errored", result.Error.Error()
	case result.Fail:
		outcome = "failed"
	}
	return testResult{
		Package:    strings.Join(constantNames(p.modules[result.Location.File].Package.Path), "/"),
		Name:       result.Name,
		File:       result.Location.File,
		Row:        result.Location.Row,
		Outcome:    outcome,
		Message:    message,
		DurationNs: result.Duration.Nanoseconds(),
		Output:     strings.TrimRight(string(result.Output), "\n"),
	}
}

// explain runs a failed test once more and says which expression of it was not true, and what that was about.
func (p *parsed) explain(compiler *ast.Compiler, result *tester.Result) (string, []namedValue) {
	var failed []string
	for name, part := range result.SubResults.Iter {
		if part.Fail && len(part.SubResults) == 0 {
			failed = append(failed, strings.Join(name, "/"))
		}
	}
	watch := &failureTracer{rule: result.Location}
	ask := p.asking(compiler)
	// An index would leave out a test whose first expression cannot hold.
	ask(p.ruleAt(result.Location), nil, rego.EvalQueryTracer(watch), rego.EvalRuleIndexing(false))
	message := ""
	if len(failed) > 0 {
		message = "failed cases: " + strings.Join(failed, ", ")
	}
	if watch.last == nil {
		return cmp.Or(message, "the test is not true"), nil
	}
	if message != "" {
		message += "; one of them is "
	}
	at := watch.last.expr.Location
	line := strings.TrimSpace(p.texts.line(at.File, at.Row))
	isRule := func(path ast.Ref) bool { return len(compiler.GetRulesExact(path)) > 0 }
	return message + fmt.Sprintf("not true at %s:%d:%d: %s", at.File, at.Row, at.Col, line),
		watch.last.values(ask, isRule)
}

// ruleAt is the reference of the test that stands there.
func (p *parsed) ruleAt(place *ast.Location) ast.Ref {
	for _, rule := range p.modules[place.File].Rules {
		if rule.Loc().Equal(place) {
			return rule.Ref().GroundPrefix()
		}
	}
	return ast.DefaultRootRef
}

func (p *parsed) asking(compiler *ast.Compiler) asking {
	store := p.store()
	return func(ref ast.Ref, with []*ast.With, options ...rego.EvalOption) (ast.Value, bool) {
		expr := ast.NewExpr(ast.NewTerm(ref))
		expr.With = with
		prepared, err := rego.New(
			rego.ParsedQuery(ast.NewBody(expr)),
			rego.Compiler(compiler),
			rego.Store(store),
			rego.GenerateJSON(func(term *ast.Term, _ *rego.EvalContext) (any, error) { return term, nil }),
		).PrepareForEval(context.Background())
		if err != nil {
			return nil, false
		}
		results, err := prepared.Eval(context.Background(), options...)
		if err != nil || len(results) == 0 {
			return nil, false
		}
		term, is := valueOf(results[0])
		if !is {
			return nil, false
		}
		return term.Value, true
	}
}
