package main

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// callPlace is where a builtin is called.
type callPlace struct {
	builtin, file string
	row, col      int
}

// failedCall is how often the call at a place failed, and the step of each time that was noted.
type failedCall struct {
	times int
	steps map[int]*step
}

// failedCalls finds what builtins said when they had no value: OPA tells the errors after the evaluation, in order.
type failedCalls map[callPlace]*failedCall

func callPlaceOf(expr *ast.Expr) (callPlace, bool) {
	at := expr.Loc()
	if !expr.IsCall() || at == nil {
		return callPlace{}, false
	}
	return callPlace{expr.Operator().String(), at.File, at.Row, at.Col}, true
}

func (c failedCalls) count(expr *ast.Expr) {
	if place, is := callPlaceOf(expr); is {
		if c[place] == nil {
			c[place] = &failedCall{steps: map[int]*step{}}
		}
		c[place].times++
	}
}

// stopped notes the step that is made of the call counted last.
func (c failedCalls) stopped(expr *ast.Expr, made *step) {
	if place, is := callPlaceOf(expr); is {
		c[place].steps[c[place].times-1] = made
	}
}

// tell gives the steps their errors, where each failure of a call was one: any other may just not have been true.
func (c failedCalls) tell(errors []topdown.Error) {
	said := map[callPlace][]string{}
	for _, one := range errors {
		if builtin, what, is := strings.Cut(one.Message, ": "); is && one.Location != nil {
			place := callPlace{builtin, one.Location.File, one.Location.Row, one.Location.Col}
			said[place] = append(said[place], what)
		}
	}
	for place, messages := range said {
		call := c[place]
		if call == nil || call.times != len(messages) {
			continue
		}
		for at, made := range call.steps {
			made.Error = shortened(place.builtin+": "+messages[at], longestExcerpt)
		}
	}
}
