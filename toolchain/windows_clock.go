package main

import "github.com/open-policy-agent/opa/v1/ast"

const seconds = 2

// finest answers which part of a clock's answer, of hour (0), minute (1) and second (2), is the finest that is used.
func (f *nowFlow) finest(call *ast.Expr) int {
	operands := call.Operands()
	if len(operands) != 2 {
		return seconds
	}
	return f.finestOf(operands[1], map[*ast.Expr]bool{call: true})
}

// finestOf looks where the clock's answer stands. Beside these places is the one where it gets its value, which was
// looked at before.
func (f *nowFlow) finestOf(clock *ast.Term, seen map[*ast.Expr]bool) int {
	name, is := variable(clock)
	if !is {
		return seconds
	}
	finest, places := 0, 1
	for _, expr := range f.exprs {
		if seen[expr] || expr.Negated || callOf(expr) != ast.Equality.Name {
			continue
		}
		for side := range 2 {
			if part, is := f.partUsed(name, expr, side, seen); is {
				finest = max(finest, part)
				places++
			}
		}
	}
	if places != f.uses[name] {
		return seconds
	}
	return finest
}

// partUsed answers the finest part of a clock's answer that one side of an equation takes, when it takes such parts.
func (f *nowFlow) partUsed(name ast.Var, expr *ast.Expr, side int, seen map[*ast.Expr]bool) (int, bool) {
	switch value := expr.Operand(side).Value.(type) {
	case ast.Var:
		if value != name {
			return 0, false
		}
		other := expr.Operand(1 - side)
		switch pattern := other.Value.(type) {
		case *ast.Array:
			return f.finestIn(pattern), true
		case ast.Var:
			seen[expr] = true
			return f.finestOf(other, seen), true
		}
	case ast.Ref:
		if len(value) != 2 || value[0].Value.Compare(name) != 0 {
			return 0, false
		}
		index, is := value[1].Value.(ast.Number)
		part, whole := index.Int()
		return part, is && whole && part >= 0 && part < seconds
	}
	return 0, false
}

// finestIn answers the finest part that a pattern does more with than to leave it out.
func (f *nowFlow) finestIn(pattern *ast.Array) int {
	for part := pattern.Len() - 1; part > 0; part-- {
		name, is := variable(pattern.Elem(part))
		if !is || f.uses[name] > 1 {
			return min(part, seconds)
		}
	}
	return 0
}
