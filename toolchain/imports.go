package main

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// withImportHints says of names that nothing defines which package was probably meant, and not imported.
func withImportHints(errors ast.Errors, modules map[string]*ast.Module) ast.Errors {
	packages := map[string]ast.Ref{}
	for _, path := range sortedPaths(modules) {
		ref := modules[path].Package.Path
		if name, is := ref[len(ref)-1].Value.(ast.String); is && packages[string(name)] == nil {
			packages[string(name)] = ref
		}
	}
	for _, one := range errors {
		name, isVar := strings.CutPrefix(one.Message, "var ")
		name, isUnsafe := strings.CutSuffix(name, " is unsafe")
		ref := packages[name]
		if one.Code != ast.UnsafeVarErr || !isVar || !isUnsafe || ref == nil || !ref.HasPrefix(ast.DefaultRootRef) {
			continue
		}
		one.Message += fmt.Sprintf(": nothing here has this name; for the package, import %v", ref)
	}
	return errors
}
