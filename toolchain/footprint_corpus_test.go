package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/open-policy-agent/opa/v1/util"
)

// testdata/footprint.json holds pairs of inputs that a rule tells apart by something easily missed.
func TestInputsThatRulesTellApartLookDifferent(t *testing.T) {
	text, err := os.ReadFile("testdata/footprint.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		What, Rules   string
		First, Second json.RawMessage
	}
	if err := util.UnmarshalJSON(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases {
		t.Run(one.What, func(t *testing.T) {
			var first, second any
			for into, from := range map[*any]json.RawMessage{&first: one.First, &second: one.Second} {
				if err := util.UnmarshalJSON(from, into); err != nil {
					t.Fatal(err)
				}
			}
			compiler, reads := entrypointOf(t, one.Rules)
			answer := answerer(t, compiler)
			if seen(reads, first) == seen(reads, second) {
				t.Errorf("both look the same: %s", written(reads))
			}
			if a, b := answer(first), answer(second); a == b {
				t.Errorf("both are answered %s", a)
			}
		})
	}
}
