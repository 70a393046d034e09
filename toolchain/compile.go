package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/rego"
)

type compiledEntrypoint struct {
	Path     string   `json:"path"`
	Builtins []string `json:"builtins"`
	Reads    []read   `json:"reads"`
	Caching  *caching `json:"caching,omitempty"`
}

type compiledModule struct {
	Entrypoints []compiledEntrypoint `json:"entrypoints"`
	Index       *index               `json:"index,omitempty"`
}

// compileModule compiles the sources, tests left out, to one Wasm module. They are compiled here first, for OPA's own
// build names ten problems and does not say what a rule can reach.
func compileModule(q *query) reply {
	p, problems := parse(q)
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	served := withoutTests(p.modules)
	report("compile", 0, 2)
	compiler, problems := p.compiled(served, nil)
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	answer := compiledModule{Entrypoints: []compiledEntrypoint{}}
	reachable := newReach(compiler)
	seen := newFootprint(reachable)
	remembered := reachable
	if q.Reasons {
		remembered = p.windowReach(served)
	}
	for _, path := range q.Entry {
		ref := entrypointRef(path)
		if wrong := unusable(compiler, path, ref); wrong != "" {
			problems = append(problems, problem{Code: ast.CompileErr, Message: wrong})
			continue
		}
		found := compiledEntrypoint{Path: path, Builtins: reachable.builtinsFrom(ref), Reads: seen.readsFrom(ref)}
		if q.Reasons {
			found.Caching = remembered.cachingOf(ref, found.Reads)
		}
		answer.Entrypoints = append(answer.Entrypoints, found)
	}
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	how, isKnown := regroupings[q.Regrouping]
	if !isKnown {
		how = usualRegrouping
	}
	if q.Reasons {
		answer.Index = how.index(served)
	}
	report("compile", 1, 2)
	texts := p.texts
	wasm, err := how.build(served, compiler, q)
	if err != nil {
		return reply{Problems: texts.of(err)}
	}
	report("compile", 2, 2)
	return reply{Result: answer, attachment: wasm}
}

func entrypointRef(path string) ast.Ref {
	ref := ast.Ref{ast.DefaultRootDocument}
	for _, name := range strings.Split(strings.Trim(path, "/"), "/") {
		ref = ref.Append(ast.StringTerm(name))
	}
	return ref
}

func unusable(compiler *ast.Compiler, path string, ref ast.Ref) string {
	rules := compiler.GetRules(ref)
	if len(rules) == 0 {
		return fmt.Sprintf("the entrypoint %q names no rule and no package", path)
	}
	for _, rule := range rules {
		if len(rule.Head.Args) > 0 && rule.Ref().Equal(ref) {
			return fmt.Sprintf("the entrypoint %q is a function", path)
		}
	}
	return ""
}

// build builds the rules regrouped: an optimisation, so what OPA will not build that way is built as written. The
// compiler has compiled the same modules, and its own are changed. Of many rules, what was parsed takes as much memory
// as what is made of it: nobody holds it while OPA builds, and it is parsed again where that fails.
func (r regrouping) build(modules map[string]*ast.Module, compiler *ast.Compiler, q *query) ([]byte, error) {
	regrouped, groups := r.of(modules)
	// The rules that regrouping makes call no builtin that has a twin, and look nothing up that has to be reworded.
	changed := withTwins(compiler)
	if groups == 0 {
		if changed {
			modules = compiler.Modules
		}
		return buildWasm(modules, q.Entry)
	}
	forget(modules, regrouped)
	if wasm, err := buildAgain(regrouped, changed, q.Entry); err == nil {
		return wasm, nil
	}
	p, _ := parse(q)
	return buildAgain(withoutTests(p.modules), changed, q.Entry)
}

// forget lets go of the rules of modules that others stand for: rules and annotations of those lead back to them.
func forget(modules, others map[string]*ast.Module) {
	for file, module := range modules {
		if others[file] == module {
			continue
		}
		for _, rule := range module.Rules {
			rule.Module.Rules = nil
		}
		module.Rules = nil
	}
}

// buildAgain builds modules of which no compiled ones are there.
func buildAgain(modules map[string]*ast.Module, needsTwins bool, entrypoints []string) ([]byte, error) {
	if needsTwins {
		compiler := ast.NewCompiler().WithCapabilities(capabilities())
		if compiler.Compile(modules); compiler.Failed() {
			return nil, compiler.Errors
		}
		withTwins(compiler)
		modules = compiler.Modules
	}
	return buildWasm(modules, entrypoints)
}

func buildWasm(modules map[string]*ast.Module, entrypoints []string) ([]byte, error) {
	all := &bundle.Bundle{Data: map[string]any{}}
	all.SetRegoVersion(ast.RegoV1)
	all.Manifest.Init()
	for _, path := range sortedPaths(modules) {
		// OPA formats the sources at the end, which compiled modules have none of: an empty one stands in.
		file := bundle.ModuleFile{URL: path, Path: path, Parsed: modules[path], Raw: []byte("package compiled\n")}
		all.Modules = append(all.Modules, file)
	}
	build := compile.New().
		WithCapabilities(capabilitiesWithTwins()).
		WithTarget(compile.TargetWasm).
		WithEntrypoints(entrypoints...).
		WithPruneUnused(true).
		WithBundle(all)
	err := build.Build(context.Background())
	// Last of all OPA formats what it left of the sources, which fails on some that are compiled, and is of no use here.
	if made := build.Bundle(); made != nil && len(made.WasmModules) == 1 {
		return made.WasmModules[0].Raw, nil
	}
	if err == nil {
		err = errors.New("OPA made no module")
	}
	return nil, err
}

func sortedPaths(modules map[string]*ast.Module) []string {
	paths := make(map[string]struct{}, len(modules))
	for path := range modules {
		paths[path] = struct{}{}
	}
	return sortedKeys(paths)
}

// compileQuery compiles a whole query with all the modules, tests included: the module's one entrypoint is the query.
func compileQuery(q *query) reply {
	p, problems := parse(q)
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	compiler, problems := p.compiled(p.modules, func(c *ast.Compiler) { c.WithCapabilities(capabilitiesWithTwins()) })
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	p.texts.add("", q.Query)
	found := map[string]struct{}{}
	reachable := newReach(compiler)
	body, names, err := compiledQuery(compiler, q)
	if err != nil {
		return reply{Problems: p.texts.of(err)}
	}
	asRule := &ast.Rule{Head: &ast.Head{}, Body: body}
	used := reachable.usesOf(asRule)
	for _, name := range used.builtins {
		found[name] = struct{}{}
	}
	for _, ref := range used.refs {
		for _, name := range reachable.builtinsFrom(ref) {
			found[name] = struct{}{}
		}
	}
	result, err := compiledWithTwins(p, compiler, q, namedAsWritten(body, names))
	if err != nil {
		return reply{Problems: p.texts.of(err)}
	}
	answer := compiledModule{Entrypoints: []compiledEntrypoint{
		{Path: "eval", Builtins: sortedKeys(found), Reads: []read{{Path: []string{}}}},
	}}
	return reply{Result: answer, attachment: result.Bytes}
}

// compiledWithTwins compiles a compiled query and what it reaches; the compiler's modules are changed for it.
func compiledWithTwins(p *parsed, compiler *ast.Compiler, q *query, body ast.Body) (*rego.CompileResult, error) {
	asked := ast.MustParseModuleWithOpts("package "+reservedName+"\nasked := true", ast.ParserOptions{RegoVersion: ast.RegoV1})
	asked.Rules[0].Body = body
	made := maps.Clone(compiler.Modules)
	made[reservedName+" query"] = asked
	renameCalls(slices.Collect(maps.Values(made)))
	rewordLookups(made, compiler.Graph)
	delete(made, reservedName+" query")
	again := ast.NewCompiler().WithCapabilities(capabilitiesWithTwins())
	if again.Compile(made); again.Failed() {
		return nil, again.Errors
	}
	return rego.New(append(declareTwins(),
		rego.ParsedQuery(asked.Rules[0].Body),
		rego.Compiler(again),
		rego.SetRegoVersion(versionOf(q.Version)),
		rego.Store(p.store()),
	)...).Compile(context.Background())
}

// compiledQuery answers the query compiled, and which names of its variables stand for which that were written.
func compiledQuery(compiler *ast.Compiler, q *query) (ast.Body, map[ast.Var]ast.Var, error) {
	body, err := ast.ParseBodyWithOpts(q.Query, ast.ParserOptions{RegoVersion: versionOf(q.Version)})
	if err != nil {
		return nil, nil, err
	}
	queries := compiler.QueryCompiler()
	body, err = queries.Compile(body)
	return body, queries.RewrittenVars(), err
}

// namedAsWritten gives the variables that the solutions of a query have the names that the query has for them.
func namedAsWritten(body ast.Body, names map[ast.Var]ast.Var) ast.Body {
	own := body.Vars(ast.VarVisitorParams{SkipRefCallHead: true, SkipClosures: true})
	ast.WalkTerms(body, func(term *ast.Term) bool {
		if name, is := term.Value.(ast.Var); is && own.Contains(name) && names[name] != "" {
			term.Value = names[name]
		}
		return false
	})
	return body
}
