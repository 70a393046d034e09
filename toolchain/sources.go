package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

// source is one file; its version is Rego's (0 or 1).
type source struct {
	Path    string `json:"path"`
	Text    string `json:"text"`
	Version int    `json:"version"`
}

// parsed is what a request's sources are, and the text that problems quote.
type parsed struct {
	modules map[string]*ast.Module
	texts   texts
	data    map[string]any
}

func versionOf(number int) ast.RegoVersion {
	if number == 0 {
		return ast.RegoV0
	}
	return ast.RegoV1
}

// capabilities are this version's, without network: schemas that refer to other hosts are refused.
func capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.AllowNet = []string{}
	return all
}

// parse reads every module and the data, and names every problem of all of them.
func parse(q *query) (*parsed, []problem) {
	p := &parsed{modules: make(map[string]*ast.Module, len(q.Modules)), texts: texts{}, data: map[string]any{}}
	var failures ast.Errors
	for _, s := range q.Modules {
		if _, twice := p.modules[s.Path]; twice {
			return nil, []problem{{Code: ast.CompileErr, Message: "two sources have this path", File: s.Path}}
		}
		p.texts.add(s.Path, s.Text)
		module, err := ast.ParseModuleWithOpts(s.Path, s.Text, ast.ParserOptions{
			ProcessAnnotation: true,
			RegoVersion:       versionOf(s.Version),
		})
		if err != nil {
			failures = append(failures, located(err, s.Path)...)
			continue
		}
		p.modules[s.Path] = module
	}
	if len(failures) > 0 {
		return nil, p.texts.of(failures)
	}
	if err := p.readData(q.data); err != nil {
		return nil, []problem{{Code: "data_invalid", Message: err.Error()}}
	}
	return p, nil
}

// Some parse errors (an empty file) have no place of their own: the file is known here.
func located(err error, path string) ast.Errors {
	var many ast.Errors
	if !errors.As(err, &many) {
		return ast.Errors{ast.NewError(ast.ParseErr, ast.NewLocation(nil, path, 1, 1), "%s", err.Error())}
	}
	for _, e := range many {
		if e.Location == nil || e.Location.File == "" {
			e.Location = ast.NewLocation(nil, path, 1, 1)
		}
	}
	return many
}

func (p *parsed) readData(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	var document any
	if err := util.NewJSONDecoder(bytes.NewReader(text)).Decode(&document); err != nil {
		return fmt.Errorf("the data is no JSON: %w", err)
	}
	object, is := document.(map[string]any)
	if !is {
		return errors.New("the data is no JSON object")
	}
	if _, taken := object[reservedName]; taken {
		return fmt.Errorf("the data has a member %q at its top, a name that compiled rules keep for themselves", reservedName)
	}
	p.data = object
	return nil
}

func (p *parsed) store() storage.Store {
	return inmem.NewFromObjectWithOpts(p.data, inmem.OptRoundTripOnWrite(false))
}

// compiled compiles modules with every problem named, not the first ten.
func (p *parsed) compiled(modules map[string]*ast.Module, adjust func(*ast.Compiler)) (*ast.Compiler, []problem) {
	compiler := ast.NewCompiler().
		WithCapabilities(capabilities()).
		SetErrorLimit(0)
	if len(p.data) > 0 {
		store := p.store()
		transaction, err := store.NewTransaction(context.Background())
		if err != nil {
			return nil, p.texts.of(err)
		}
		defer store.Abort(context.Background(), transaction)
		compiler.WithPathConflictsCheck(storage.NonEmpty(context.Background(), store, transaction))
	}
	if adjust != nil {
		adjust(compiler)
	}
	if unreadable := unreadableNames(modules); len(unreadable) > 0 {
		return nil, p.texts.of(unreadable)
	}
	if taken := reservedNames(modules); len(taken) > 0 {
		return nil, p.texts.of(taken)
	}
	if compiler.Compile(modules); compiler.Failed() {
		return nil, p.texts.of(withImportHints(compiler.Errors, modules))
	}
	return compiler, nil
}

// unreadableNames finds rules that OPA's Wasm cannot dispatch to: it writes the table of its rules with Go's quoting
// and reads it as JSON, so one name that the two quote differently makes every dynamic call undefined, silently.
func unreadableNames(modules map[string]*ast.Module) ast.Errors {
	var found ast.Errors
	for _, module := range modules {
		for _, rule := range module.Rules {
			for _, term := range rule.Ref() {
				name, is := term.Value.(ast.String)
				if is && !representable(string(name)) {
					found = append(found, ast.NewError(ast.CompileErr, rule.Loc(),
						"the rule name %q has a character that OPA's Wasm cannot represent", string(name)))
				}
			}
		}
	}
	return found
}

// reservedNames finds where sources use the name of the rules that regrouping makes, or of the twins of builtins.
func reservedNames(modules map[string]*ast.Module) ast.Errors {
	var found ast.Errors
	refuseName := func(at *ast.Location, name string) {
		found = append(found, ast.NewError(ast.CompileErr, at, "the name %s is kept for compiled rules", name))
	}
	refuse := func(at *ast.Location) { refuseName(at, reservedName) }
	ofGroups := func(ref ast.Ref) bool {
		return ref.HasPrefix(ast.DefaultRootRef) && len(ref) > 1 && ref[1].Equal(ast.StringTerm(reservedName))
	}
	for _, module := range modules {
		if ofGroups(module.Package.Path) {
			refuse(module.Package.Loc())
		}
		for _, imported := range module.Imports {
			if path, is := imported.Path.Value.(ast.Ref); is && ofGroups(path) || imported.Name() == reservedName {
				refuse(imported.Loc())
			}
			if imported.Name() == twinPrefix {
				refuseName(imported.Loc(), twinPrefix)
			}
		}
		for _, rule := range module.Rules {
			walkTerms(rule, func(term *ast.Term, at *ast.Location) {
				ref, is := dataRef(term)
				if is && ofGroups(ref) || term.Equal(ast.VarTerm(reservedName)) {
					refuse(at)
				}
				if term.Equal(ast.VarTerm(twinPrefix)) {
					refuseName(at, twinPrefix)
				}
			})
		}
	}
	return found
}

func isTestFile(path string) bool {
	return strings.HasSuffix(path, "_test.rego")
}

// testName answers the first part of a rule's name that makes it a test, as OPA's runner sees it.
func testName(rule *ast.Rule) (name string, is bool) {
	for _, term := range rule.Head.Ref().GroundPrefix() {
		switch value := term.Value.(type) {
		case ast.Var:
			name = string(value)
		case ast.String:
			name = string(value)
		default:
			continue
		}
		if strings.HasPrefix(name, "test_") || strings.HasPrefix(name, "todo_test_") {
			return name, true
		}
	}
	return "", false
}

// withoutTests leaves out test modules, and test rules of the others. The modules themselves stay as they are.
func withoutTests(modules map[string]*ast.Module) map[string]*ast.Module {
	kept := make(map[string]*ast.Module, len(modules))
	for path, module := range modules {
		if isTestFile(path) {
			continue
		}
		kept[path] = module
		var rules []*ast.Rule
		for _, rule := range module.Rules {
			if _, is := testName(rule); !is {
				rules = append(rules, rule)
			}
		}
		if len(rules) == len(module.Rules) {
			continue
		}
		served := *module
		served.Rules = rules
		served.Annotations = annotationsOf(module, rules)
		kept[path] = &served
	}
	return kept
}

// annotationsOf keeps the annotations of a module that are attached to its package or to one of these rules.
func annotationsOf(module *ast.Module, rules []*ast.Rule) []*ast.Annotations {
	var kept []*ast.Annotations
	for _, annotation := range module.Annotations {
		target := annotation.GetTargetPath()
		ofRule := slices.ContainsFunc(rules, func(rule *ast.Rule) bool { return rule.Ref().GroundPrefix().Equal(target) })
		if ofRule || target.Equal(module.Package.Path) {
			kept = append(kept, annotation)
		}
	}
	return kept
}

// slashPath writes the constant beginning of a data reference: `data.todo.allow` is `todo/allow`. Names that hold a
// slash have no such path.
func slashPath(ref ast.Ref) (string, bool) {
	names := constantNames(ref)
	for _, name := range names {
		if name == "" || strings.Contains(name, "/") {
			return "", false
		}
	}
	return strings.Join(names, "/"), len(names) > 0
}

func constantNames(ref ast.Ref) []string {
	names := []string{}
	for _, term := range ref[1:] {
		name, is := term.Value.(ast.String)
		if !is {
			break
		}
		names = append(names, string(name))
	}
	return names
}
