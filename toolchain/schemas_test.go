package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const askedRule = `# METADATA
# entrypoint: true
# schemas:
#   - input: schema.request
`

func slipsOf(t *testing.T, policy string) []string {
	t.Helper()
	schema := json.RawMessage(`{"type": "object", "properties": {"user": {"type": "object", "properties": {"name": {"type": "string"}}}}}`)
	found := inspected(t, &query{
		Modules: []source{{"a.rego", "package a\n\n" + policy, 1}},
		Schemas: map[string]json.RawMessage{"request": schema, "any": json.RawMessage(`{}`)},
		Version: 1,
	})
	slips := []string{}
	for _, one := range found.Warnings {
		slips = append(slips, fmt.Sprintf("%s %d", one.Code, one.Row))
	}
	return slips
}

func TestSchemasOfAnEntrypointAreHeldAgainstTheRulesBehindIt(t *testing.T) {
	helper := "\nblocked if input.user.nmae == \"bob\"\n"
	for name, one := range map[string]struct {
		policy string
		slips  []string
	}{
		"a rule":                      {askedRule + "allow if not blocked\n" + helper, []string{"rego_type_error 9"}},
		"a rule behind a rule":        {askedRule + "allow if not bad\n\nbad if blocked\n" + helper, []string{"rego_type_error 11"}},
		"a function":                  {askedRule + "allow if f(1)\n\nf(x) if input.user.nmae == x\n", []string{"rego_type_error 9"}},
		"a rule that nobody asks":     {askedRule + "allow if input.user.name\n" + helper, []string{}},
		"a rule with another input":   {askedRule + "allow if not blocked with input as {\"user\": {\"nmae\": 1}}\n" + helper, []string{}},
		"a rule with a part of it":    {askedRule + "allow if not blocked with input.user as {\"nmae\": 1}\n" + helper, []string{}},
		"an entrypoint without any":   {askedRule + "allow if not blocked\n\n# METADATA\n# entrypoint: true\nother if blocked\n" + helper, []string{}},
		"an entrypoint with the same": {askedRule + "allow if not blocked\n\n" + askedRule + "other if blocked\n" + helper, []string{"rego_type_error 15"}},
		"a rule with one of its own":  {askedRule + "allow if not blocked\n\n# METADATA\n# schemas:\n#   - input: schema.any" + helper, []string{}},
		"a test":                      {askedRule + "allow if not input.user.name\n\ntest_it if input.user.nmae\n", []string{}},
	} {
		if slips := slipsOf(t, one.policy); !slices.Equal(slips, one.slips) {
			t.Errorf("%s: %s", name, strings.Join(slips, ", "))
		}
	}
}
