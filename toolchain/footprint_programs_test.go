package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// programs writes modules whose rules pass places of the input on, in functions, rules and local names.
type programs struct {
	*rand.Rand
	functions, rules, locals int
}

func (p *programs) one(from ...string) string { return from[p.IntN(len(from))] }

func (p *programs) name() string { return p.one(".a", ".b", ".c", `["0"]`) }

// term is something to look at; scope are the local names.
func (p *programs) term(scope []string) string {
	from := []string{"input" + p.name(), "input" + p.name() + p.name(), "input"}
	for _, name := range scope {
		from = append(from, name, name+p.name(), name+p.name())
	}
	if p.rules > 0 {
		rule := fmt.Sprintf("q%d", p.IntN(p.rules))
		from = append(from, rule, rule+p.name())
	}
	return p.one(from...)
}

func (p *programs) call(scope []string) string {
	if p.functions == 0 {
		return p.term(scope)
	}
	return fmt.Sprintf("f%d(%s, %s)", p.IntN(p.functions), p.term(scope), p.term(scope))
}

func (p *programs) local() string {
	p.locals++
	return fmt.Sprintf("v%d", p.locals)
}

func (p *programs) condition(scope []string) (text string, after []string) {
	term := func() string { return p.term(scope) }
	literal := p.one("1", `"1"`, `"a"`, "true", "9007199254740993")
	switch p.IntN(20) {
	case 0, 1, 2:
		name := p.local()
		return name + " := " + p.one(term(), p.call(scope)), append(scope, name)
	case 3:
		return p.call(scope), scope
	case 4:
		return "not " + p.call(scope), scope
	case 5:
		return p.call(scope) + " == " + literal, scope
	case 6:
		return "not " + term(), scope
	case 7:
		return term() + " == " + term(), scope
	case 8:
		return "count(" + term() + ") == 1", scope
	case 9:
		return fmt.Sprintf("object.get(%s, %s, 1) == %s", term(), p.one(`"a"`, `["a", "b"]`, term()), literal), scope
	case 10:
		name := p.local()
		return fmt.Sprintf("some %s in %s; %s == %s", name, term(), p.one(name, name+p.name()), literal), append(scope, name)
	case 11:
		name := p.local()
		return fmt.Sprintf("every %s in %s { %s == %s }", name, term(), name, term()), scope
	case 12:
		inner, _ := p.condition(scope)
		return fmt.Sprintf("count([1 | %s]) == %s", inner, p.one("0", "1")), scope
	case 13:
		return fmt.Sprintf("%s with input as %s", p.call(scope), p.one(term(), `{"a": `+term()+`}`)), scope
	case 14:
		return fmt.Sprintf("%s with input%s as %s", p.call(scope), p.name(), p.one(term(), "1")), scope
	case 15:
		return term() + p.one("[0]", `["0"]`, "["+term()+"]", "[_]") + " == " + literal, scope
	case 16:
		if p.rules > 0 {
			return fmt.Sprintf("%s with data.p.q%d as %s", p.call(scope), p.IntN(p.rules), term()), scope
		}
	case 17:
		if p.functions > 1 {
			return fmt.Sprintf("%s with data.p.f0 as data.p.f1", p.call(scope)), scope
		}
	case 18:
		return fmt.Sprintf("walk(%s, [_, %s])", term(), literal), scope
	}
	return term() + " == " + literal, scope
}

func (p *programs) body(scope []string, most int) (string, []string) {
	var parts []string
	for range 1 + p.IntN(most) {
		text, after := p.condition(scope)
		parts, scope = append(parts, text), after
	}
	return "{ " + strings.Join(parts, "; ") + " }", scope
}

func (p *programs) function() string {
	name := fmt.Sprintf("f%d", p.functions)
	var lines []string
	if p.IntN(5) == 0 {
		lines = append(lines, "default "+name+"(_, _) := 1")
	}
	for range p.one("1", "11", "111") {
		arguments := p.one("x, y", "x, y", "x, y", "x, 1", "x, _", "[x, y], _")
		scope := []string{"x"}
		if strings.Contains(arguments, "y") {
			scope = append(scope, "y")
		}
		switch p.IntN(4) {
		case 0:
			lines = append(lines, fmt.Sprintf("%s(%s) := %s", name, arguments, p.term(scope)))
		default:
			body, inner := p.body(scope, 3)
			line := fmt.Sprintf("%s(%s) := %s if %s", name, arguments, p.one(p.term(inner), "1", "true"), body)
			if p.IntN(4) == 0 {
				otherwise, inner := p.body(scope, 2)
				line += fmt.Sprintf(" else := %s if %s", p.term(inner), otherwise)
			}
			lines = append(lines, line)
		}
	}
	p.functions++
	return strings.Join(lines, "\n")
}

func (p *programs) rule() string {
	name := fmt.Sprintf("q%d", p.rules)
	var line string
	switch p.IntN(6) {
	case 0, 1:
		line = name + " := " + p.one(p.term(nil), p.call(nil))
	case 2:
		line = fmt.Sprintf("default %s := %s\n%s := %s", name, p.one("1", "{}"), name, p.term(nil))
	case 3:
		body, scope := p.body(nil, 2)
		otherwise, _ := p.body(nil, 2)
		line = fmt.Sprintf("%s := %s if %s else := 1 if %s", name, p.term(scope), body, otherwise)
	default:
		body, scope := p.body(nil, 3)
		line = fmt.Sprintf("%s := %s if %s", name, p.term(scope), body)
	}
	p.rules++
	return line
}

func (p *programs) module() string {
	p.functions, p.rules, p.locals = 0, 0, 0
	var lines []string
	for range 3 + p.IntN(4) {
		if p.IntN(2) == 0 {
			lines = append(lines, p.function())
		} else {
			lines = append(lines, p.rule())
		}
	}
	for range 1 + p.IntN(2) {
		body, scope := p.body(nil, 4)
		lines = append(lines, fmt.Sprintf("allow := %s if %s", p.one("true", p.term(scope)), body))
	}
	return strings.Join(lines, "\n")
}

// narrow is true for rules that compile and do not read all of the input.
func narrow(t *testing.T, rules string) bool {
	t.Helper()
	p, problems := parse(&query{Modules: []source{{Path: "p.rego", Text: "package p\n" + rules, Version: 1}}})
	if len(problems) == 0 {
		_, problems = p.compiled(p.modules, nil)
	}
	if len(problems) > 0 {
		return false
	}
	_, reads := entrypointOf(t, rules)
	return len(reads) == 0 || reads[0].Shape || len(reads[0].Path) > 0
}

func TestInputsThatLookTheSameAreAnsweredTheSameByGeneratedRules(t *testing.T) {
	generator := &programs{Rand: rand.New(rand.NewChaCha8([32]byte{11}))}
	taken, pairs := 0, 0
	for range 1_000 {
		rules := generator.module()
		if narrow(t, rules) {
			taken++
			pairs += samePairs(t, generator.Rand, rules, 80)
		}
	}
	if taken < 100 || pairs < 2_000 {
		t.Errorf("only %d programs and %d pairs were compared", taken, pairs)
	}
	t.Logf("%d programs, %d pairs", taken, pairs)
}
