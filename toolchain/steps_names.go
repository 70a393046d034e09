package main

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

func generated(term *ast.Term) (ast.Var, bool) {
	if term == nil {
		return "", false
	}
	name, is := term.Value.(ast.Var)
	return name, is && name.IsGenerated()
}

// naming gives what compiled expressions are made of the names that its author knows.
type naming struct {
	aliases  map[ast.Var]string
	metadata map[ast.Var]topdown.VarMetadata
}

// isAuthors says that a variable stands in the source.
func (n naming) isAuthors(name ast.Var) bool {
	known, is := n.metadata[name]
	return is && !known.Name.IsGenerated()
}

func (n naming) nameOf(name ast.Var) string {
	if n.isAuthors(name) {
		return string(n.metadata[name].Name)
	}
	return n.aliases[name]
}

func (n naming) text(node ast.Node) string {
	var copied ast.Node
	switch value := node.(type) {
	case *ast.Expr:
		copied = value.Copy()
	case *ast.Term:
		copied = value.Copy()
	default:
		return fmt.Sprint(node)
	}
	changed, err := ast.TransformVars(copied, func(name ast.Var) (ast.Value, error) {
		if known := n.nameOf(name); known != "" {
			return ast.Var(known), nil
		}
		return name, nil
	})
	if err != nil {
		return fmt.Sprint(node)
	}
	return fmt.Sprint(changed)
}

func (n naming) call(expr *ast.Expr, operands []*ast.Term) string {
	texts := make([]string, len(operands))
	for at, operand := range operands {
		texts[at] = n.text(operand)
	}
	return fmt.Sprintf("%s(%s)", expr.Operator(), strings.Join(texts, ", "))
}

// missing is the reference whose value a variable of the compiler's was to take, and which has none.
func (n naming) missing(expr *ast.Expr) (string, bool) {
	if expr.Negated || !expr.IsEquality() {
		return "", false
	}
	_, made := generated(expr.Operand(0))
	_, reference := expr.Operand(1).Value.(ast.Ref)
	return n.text(expr.Operand(1)), made && reference
}
