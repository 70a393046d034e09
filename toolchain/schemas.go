package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// withSchemasHandedOn answers the modules with an entrypoint's schemas of the input also at the rules that it reaches:
// whoever asks it has gone through them. A rule keeps schemas of its own, and takes none where another entrypoint that
// reaches it has others, or where `with` puts another input in front of it.
func withSchemasHandedOn(compiler *ast.Compiler, modules map[string]*ast.Module) map[string]*ast.Module {
	given := handedOn(compiler, withoutTests(modules))
	if len(given) == 0 {
		return modules
	}
	all := make(map[string]*ast.Module, len(modules))
	for path, module := range modules {
		module = module.Copy()
		for _, rule := range module.Rules {
			if schemas := given[rule.Loc().String()]; len(schemas) > 0 {
				marked := &ast.Annotations{Scope: "rule", Schemas: schemas, Location: rule.Loc()}
				module.Annotations = append(module.Annotations, marked.Copy(rule))
			}
		}
		all[path] = module
	}
	return all
}

// handedOn answers the schemas of rules that have none, by where they stand: compiled rules are others.
func handedOn(compiler *ast.Compiler, modules map[string]*ast.Module) map[string][]*ast.SchemaAnnotation {
	r := newReach(compiler)
	given := map[string][]*ast.SchemaAnnotation{}
	give := func(entrypoint ast.Ref, schemas []*ast.SchemaAnnotation) {
		for _, rule := range r.rulesFrom(entrypoint) {
			at := rule.Loc().String()
			if before, known := given[at]; known && !sameSchemas(before, schemas) {
				given[at] = nil
			} else {
				given[at] = schemas
			}
		}
	}
	for _, path := range sortedPaths(modules) {
		for _, annotations := range compiler.Modules[path].Annotations {
			if annotations.Entrypoint {
				target := annotations.GetTargetPath()
				give(target, r.schemasAt(target))
			}
		}
		ast.WalkExprs(compiler.Modules[path], func(expr *ast.Expr) bool {
			if slices.ContainsFunc(expr.With, replacesInput) {
				ast.WalkTerms(expr, func(term *ast.Term) bool {
					if ref, is := dataRef(term); is {
						give(ref, nil)
					}
					return false
				})
			}
			return false
		})
	}
	for _, path := range sortedPaths(modules) {
		for _, rule := range compiler.Modules[path].Rules {
			if len(inputSchemas(compiler, rule)) > 0 {
				delete(given, rule.Loc().String())
			}
		}
	}
	return given
}

func replacesInput(with *ast.With) bool {
	target, is := with.Target.Value.(ast.Ref)
	return is && target.HasPrefix(ast.InputRootRef) || ast.InputRootDocument.Equal(with.Target)
}

// schemasAt answers those of all definitions of a path; none where they have different ones.
func (r *reach) schemasAt(path ast.Ref) []*ast.SchemaAnnotation {
	var common []*ast.SchemaAnnotation
	for i, rule := range r.rulesOf(path.String(), path) {
		schemas := inputSchemas(r.compiler, rule)
		if i > 0 && !sameSchemas(common, schemas) {
			return nil
		}
		common = schemas
	}
	return common
}

// inputSchemas answers the schemas that METADATA give a rule, outer ones first, as OPA's type checker orders them.
func inputSchemas(compiler *ast.Compiler, rule *ast.Rule) []*ast.SchemaAnnotation {
	var found []*ast.SchemaAnnotation
	for _, each := range slices.Backward(compiler.GetAnnotationSet().Chain(rule)) {
		if each.Annotations == nil {
			continue
		}
		for _, schema := range each.Annotations.Schemas {
			if schema.Path.HasPrefix(ast.InputRootRef) {
				found = append(found, schema)
			}
		}
	}
	return found
}

func sameSchemas(a, b []*ast.SchemaAnnotation) bool {
	return slices.EqualFunc(a, b, func(a, b *ast.SchemaAnnotation) bool { return a.Compare(b) == 0 })
}
