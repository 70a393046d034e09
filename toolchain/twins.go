package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// Before the names of host twins. OPA's Wasm has a C implementation of many builtins, and where its answers are not
// those of OPA's Go code, calls are renamed to a builtin of the host that answers as Go does. Sources may not use the
// name: a rule called so would be called instead of the twin.
const twinPrefix = "__vt"

// twinned are the natives with a host twin. Each function tells which calls may stay native, by their operands: nil
// where none may.
var twinned = map[string]func(operands []*ast.Term) bool{
	"abs":                              nil,
	"array.slice":                      wholeNumbersFrom(1),
	"base64.decode":                    nil,
	"base64.is_valid":                  nil,
	"base64url.decode":                 nil,
	"bits.and":                         nil,
	"bits.lsh":                         nil,
	"bits.negate":                      nil,
	"bits.or":                          nil,
	"bits.rsh":                         nil,
	"bits.xor":                         nil,
	"ceil":                             nil,
	"concat":                           arrayAt(1),
	"div":                              nil,
	"floor":                            nil,
	"format_int":                       nil,
	"glob.match":                       plainGlob,
	"indexof":                          textAt(1),
	"internal.template_string":         nil,
	"json.filter":                      nil,
	"json.is_valid":                    nil,
	"json.marshal":                     nil,
	"json.remove":                      nil,
	"json.unmarshal":                   nil,
	"minus":                            nil,
	"mul":                              nil,
	"net.cidr_contains":                nil,
	"net.cidr_intersects":              nil,
	"net.cidr_overlap":                 nil,
	"object.union_n":                   arrayAt(0),
	"plus":                             nil,
	"product":                          nil,
	"re_match":                         plainPatternAt(0),
	"regex.find_all_string_submatch_n": nil,
	"regex.is_valid":                   nil,
	"regex.match":                      plainPatternAt(0),
	"rem":                              nil,
	"replace":                          textAt(1),
	"round":                            nil,
	"substring":                        wholeNumbersFrom(1),
	"sum":                              nil,
	"to_number":                        nil,
}

func isWholeNumber(term *ast.Term) bool {
	number, is := term.Value.(ast.Number)
	if !is {
		return false
	}
	_, err := strconv.ParseInt(string(number), 10, 32)
	return err == nil
}

// wholeNumbersFrom is for natives that differ where an index is written as 1.0 or is larger than any array.
func wholeNumbersFrom(first int) func([]*ast.Term) bool {
	return func(operands []*ast.Term) bool {
		for at := first; at < len(operands); at++ {
			if !isWholeNumber(operands[at]) {
				return false
			}
		}
		return true
	}
}

// textAt is for natives that differ where what they look for is empty.
func textAt(at int) func([]*ast.Term) bool {
	return func(operands []*ast.Term) bool {
		text, is := operands[at].Value.(ast.String)
		return is && text != ""
	}
}

// arrayAt is for natives that differ on sets or the empty array.
func arrayAt(at int) func([]*ast.Term) bool {
	return func(operands []*ast.Term) bool {
		array, is := operands[at].Value.(*ast.Array)
		return is && array.Len() > 0
	}
}

// Patterns that RE2 in C++ and Go read alike: ASCII, and of escapes the common ones.
var plainPattern = regexp.MustCompile(`^(?:[ !-\[\]-~]|\\[dDwWsS.\-/+*?()\[\]{}^$|\\])*$`)

func plainPatternAt(at int) func([]*ast.Term) bool {
	return func(operands []*ast.Term) bool {
		text, is := operands[at].Value.(ast.String)
		if !is || strings.Contains(string(text), "(?") || !plainPattern.MatchString(string(text)) {
			return false
		}
		_, err := regexp.Compile(string(text))
		return err == nil
	}
}

// What C makes of these is a regular expression of the same meaning: one star at a time, and never over line feeds alone.
var plainGlobPattern = regexp.MustCompile(`^(?:[\w /.:@=+~&%-]|\*(?:[\w /.:@=+~&%?-]|$)|\?)*$`)

// plainGlob is for patterns and separators whose every sign both read alike.
func plainGlob(operands []*ast.Term) bool {
	pattern, is := operands[0].Value.(ast.String)
	separators, listed := operands[1].Value.(*ast.Array)
	return is && listed && plainGlobPattern.MatchString(string(pattern)) && separators.Until(func(term *ast.Term) bool {
		text, is := term.Value.(ast.String)
		return !is || !strings.Contains("/.:@", string(text)) || len(text) != 1
	}) == false
}

// twinsOf answers the declarations of all twins: those of their natives under another name.
func twinsOf(natives []*ast.Builtin) []*ast.Builtin {
	var twins []*ast.Builtin
	for _, native := range natives {
		if _, has := twinned[native.Name]; has {
			twin := *native
			twin.Name, twin.Infix = twinPrefix+"."+native.Name, ""
			twins = append(twins, &twin)
		}
	}
	return twins
}

func capabilitiesWithTwins() *ast.Capabilities {
	all := capabilities()
	all.Builtins = slices.Concat(all.Builtins, twinsOf(all.Builtins), windowTwins(all.Builtins))
	return all
}

// withTwins renames calls and rewords lookups in compiled modules, in place, and answers whether there was anything to
// change. What it leaves can be compiled again.
func withTwins(compiler *ast.Compiler) bool {
	compiled := slices.Collect(maps.Values(compiler.Modules))
	windows := findWindows(compiled)
	renamed := renameCalls(compiled)
	return rewordLookups(compiler.Modules, compiler.Graph) || windows || renamed
}

// renameCalls gives the calls that must not stay native the names of their twins, in place, and answers whether there
// were any. Modules are compiled: operators are calls there, and functions of the sources have absolute names.
func renameCalls(modules []*ast.Module) bool {
	mocked := mockedIn(modules)
	renamed := false
	for _, module := range modules {
		renamed = renameIn(module, mocked) || renamed
	}
	return renamed
}

// mockedIn answers what `with` replaces somewhere.
func mockedIn(modules []*ast.Module) map[string]bool {
	mocked := map[string]bool{}
	for _, module := range modules {
		ast.WalkWiths(module, func(with *ast.With) bool {
			mocked[with.Target.Value.String()] = true
			return false
		})
	}
	return mocked
}

// renameIn renames in one node. What is replaced by `with` somewhere is renamed everywhere, its replacement too: a call
// that stayed native would not be replaced.
func renameIn(node any, mocked map[string]bool) bool {
	renamed := false
	rename := func(term *ast.Term) {
		ref := ast.Ref{ast.VarTerm(twinPrefix)}
		for at, part := range term.Value.(ast.Ref) {
			name, is := part.Value.(ast.String)
			if at == 0 {
				name = ast.String(part.Value.(ast.Var))
			} else if !is {
				return
			}
			ref = append(ref, ast.NewTerm(name).SetLocation(part.Location))
		}
		term.Value = ref
		renamed = true
	}
	call := func(terms []*ast.Term) {
		name, is := nativeName(terms[0])
		staysNative := twinned[name]
		if is && (mocked[name] || staysNative == nil || len(terms) <= 1 || !staysNative(terms[1:])) {
			rename(terms[0])
		}
	}
	ast.NewGenericVisitor(func(node any) bool {
		switch node := node.(type) {
		case *ast.Expr:
			if terms, is := node.Terms.([]*ast.Term); is {
				call(terms)
			}
			for _, with := range node.With {
				for _, term := range []*ast.Term{with.Target, with.Value} {
					if _, is := nativeName(term); is {
						rename(term)
					}
				}
			}
		case ast.Call:
			call(node)
		}
		return false
	}).Walk(node)
	return renamed
}

func nativeName(term *ast.Term) (string, bool) {
	ref, is := term.Value.(ast.Ref)
	if !is || len(ref) == 0 || ref.HasPrefix(ast.DefaultRootRef) || ref.HasPrefix(ast.InputRootRef) {
		return "", false
	}
	name := ref.String()
	_, has := twinned[name]
	return name, has
}

// declareTwins makes the twins known to the planner of one query.
func declareTwins() []func(*rego.Rego) {
	var options []func(*rego.Rego)
	for _, twin := range twinsOf(ast.CapabilitiesForThisVersion().Builtins) {
		declared := &rego.Function{Name: twin.Name, Decl: twin.Decl}
		options = append(options, rego.FunctionDecl(declared))
	}
	return options
}
