package main

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
	"github.com/open-policy-agent/opa/v1/version"
)

type annotation struct {
	Path        string          `json:"path"`
	Scope       string          `json:"scope"`
	File        string          `json:"file"`
	Row         int             `json:"row"`
	Annotations json.RawMessage `json:"annotations"`
}

type inspection struct {
	Packages       []string     `json:"packages"`
	Rules          []string     `json:"rules"`
	Annotations    []annotation `json:"annotations"`
	DataReferences []reference  `json:"dataReferences"`
	TestReferences []reference  `json:"testReferences"`
	Tests          int          `json:"tests"`
	Warnings       []problem    `json:"warnings"`
}

// check names every problem of the sources, or says what is in them. OPA's strict mode stops at its own findings, so
// modules that it refuses are compiled without it, too: then nobody loses a type error to an unused import.
func check(q *query) reply {
	p, problems := parse(q)
	if len(problems) > 0 {
		return reply{Problems: problems}
	}
	var failed []problem
	compiler, strict := p.compiled(p.modules, func(c *ast.Compiler) { c.WithStrict(true) })
	if len(strict) > 0 {
		compiler, failed = p.compiled(p.modules, nil)
	}
	strict = merged(strict, p.typeProblems(q, compiler))
	if len(failed) > 0 {
		if q.Strict {
			failed = merged(failed, strict)
		}
		return reply{Problems: failed}
	}
	if q.Strict && len(strict) > 0 {
		return reply{Problems: strict}
	}
	served := withoutTests(p.modules)
	found := inspection{
		Packages:       packagesOf(served),
		Rules:          rulePaths(served),
		Annotations:    annotationsIn(served),
		DataReferences: dataReferences(compiler, served),
		TestReferences: testReferences(compiler, p.modules, served),
		Warnings:       append(p.orderProblems(compiler, served), strict...),
	}
	for _, module := range p.modules {
		for _, rule := range module.Rules {
			if name, is := testName(rule); is && strings.HasPrefix(name, "test_") {
				found.Tests++
			}
		}
	}
	return reply{Result: found}
}

// typeProblems finds references that the schemas of METADATA leave no room for, as `opa check --schema` does, also in
// the rules behind an entrypoint. Sources compile without them, so what else OPA has against a schema is no matter here.
func (p *parsed) typeProblems(q *query, compiler *ast.Compiler) []problem {
	annotated := false
	for _, module := range p.modules {
		annotated = annotated || slices.ContainsFunc(module.Annotations, func(a *ast.Annotations) bool { return len(a.Schemas) > 0 })
	}
	if !annotated {
		return nil
	}
	set := ast.NewSchemaSet()
	for name, text := range q.Schemas {
		var schema any
		if err := util.UnmarshalJSON(text, &schema); err != nil {
			return nil
		}
		ref := ast.Ref{ast.SchemaRootDocument}
		for _, segment := range strings.Split(name, "/") {
			ref = ref.Append(ast.StringTerm(segment))
		}
		set.Put(ref, schema)
	}
	modules := p.modules
	if compiler != nil {
		modules = withSchemasHandedOn(compiler, modules)
	}
	_, problems := p.compiled(modules, func(c *ast.Compiler) {
		c.WithSchemas(set).WithUseTypeCheckAnnotations(true)
	})
	return slices.DeleteFunc(problems, func(found problem) bool {
		// A file that is checked alone has its schemas elsewhere.
		return found.Code != ast.TypeErr || found.Row == 0 || strings.HasPrefix(found.Message, "undefined schema:")
	})
}

func merged(a, b []problem) []problem {
	for _, p := range b {
		if !slices.Contains(a, p) {
			a = append(a, p)
		}
	}
	return a
}

func packagesOf(modules map[string]*ast.Module) []string {
	paths := map[string]struct{}{}
	for _, module := range modules {
		path, representable := slashPath(module.Package.Path)
		if representable && (len(module.Rules) > 0 || hasRulesBelow(modules, module.Package.Path)) {
			paths[path] = struct{}{}
		}
	}
	return sortedKeys(paths)
}

// A package without rules is no document: OPA refuses it as an entrypoint.
func hasRulesBelow(modules map[string]*ast.Module, path ast.Ref) bool {
	for _, module := range modules {
		if len(module.Rules) > 0 && module.Package.Path.HasPrefix(path) {
			return true
		}
	}
	return false
}

func rulePaths(modules map[string]*ast.Module) []string {
	paths := map[string]struct{}{}
	for _, module := range modules {
		for _, rule := range module.Rules {
			if len(rule.Head.Args) > 0 {
				continue
			}
			if path, representable := slashPath(rule.Ref().GroundPrefix()); representable {
				paths[path] = struct{}{}
			}
		}
	}
	return sortedKeys(paths)
}

func sortedKeys(set map[string]struct{}) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

func annotationsIn(modules map[string]*ast.Module) []annotation {
	found := []annotation{}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		for _, a := range modules[path].Annotations {
			text, err := json.Marshal(a)
			target, representable := slashPath(a.GetTargetPath())
			if err != nil || !representable {
				continue
			}
			found = append(found, annotation{target, a.Scope, path, a.Loc().Row, text})
		}
	}
	return found
}

// versionInfo answers what this module is made of, and every builtin that it knows.
func versionInfo(*query) reply {
	type builtin struct {
		Name             string `json:"name"`
		Nondeterministic bool   `json:"nondeterministic"`
		Relation         bool   `json:"relation"`
	}
	known := []builtin{}
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		known = append(known, builtin{b.Name, b.Nondeterministic, b.Relation})
	}
	if len(known) == 0 {
		return reply{Problems: texts{}.of(errors.New("OPA registered no builtins"))}
	}
	return reply{Result: map[string]any{"opa": version.Version, "builtins": known}}
}
