package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

// The first byte of the answer to a call.
const (
	answerValue = iota
	answerUndefined
	answerError
	answerHalt
	answerCrash
)

var (
	current  *topdown.BuiltinContext
	declared = declarations()
)

func declarations() map[string]*ast.Builtin {
	names := map[string]*ast.Builtin{}
	for _, builtin := range ast.Builtins {
		names[builtin.Name] = builtin
	}
	return names
}

// newEvaluation makes what the builtin calls of one evaluation share in OPA: its clock, its stream of random bytes
// and its caches, so that uuid.rfc4122 and rand.intn answer the same to the same question.
func newEvaluation(nowNs int64, seed []byte) *topdown.BuiltinContext {
	return &topdown.BuiltinContext{
		Context:      context.Background(),
		Metrics:      metrics.New(),
		Seed:         randomFrom(seed),
		Time:         ast.NumberTerm(json.Number(strconv.FormatInt(nowNs, 10))),
		Cancel:       topdown.NewCancel(),
		Cache:        builtins.Cache{},
		Capabilities: capabilitiesOfCalls,
	}
}

var capabilitiesOfCalls = capabilities()

// randomFrom stretches a seed to as many bytes as an evaluation asks for.
func randomFrom(seed []byte) io.Reader {
	var key [32]byte
	copy(key[:], seed)
	return rand.NewChaCha8(key)
}

func callBuiltin(out []byte) []byte {
	answered, err := runBuiltin(out, request)
	if err == nil {
		return answered
	}
	tag := byte(answerError)
	if _, halt := errors.AsType[topdown.Halt](err); halt || topdown.IsCancel(err) {
		tag = answerHalt
	}
	message := err.Error()
	if e, is := errors.AsType[*topdown.Error](err); is {
		message = e.Message
	}
	return append(append(out, tag), message...)
}

func runBuiltin(out, from []byte) ([]byte, error) {
	if current == nil {
		return nil, topdown.Halt{Err: errors.New("no evaluation has begun")}
	}
	name, rest, err := readBlob(from)
	if err != nil {
		return nil, topdown.Halt{Err: err}
	}
	function := topdown.GetBuiltin(string(name))
	declaration := declared[string(name)]
	if function == nil || declaration == nil {
		return nil, topdown.Halt{Err: fmt.Errorf("unknown builtin %s", name)}
	}
	operands, rest, err := readItems(rest, 1, 0)
	if err != nil || len(rest) > 0 {
		return nil, topdown.Halt{Err: cmp.Or(err, errRest)}
	}
	// Builtins take their operands for granted: one too few would be a panic.
	if wanted := declaration.Decl.Arity(); len(operands) != wanted {
		return nil, topdown.Halt{Err: fmt.Errorf("%s takes %d operands, not %d", name, wanted, len(operands))}
	}
	var results []*ast.Term
	err = function(*current, operands, func(result *ast.Term) error {
		results = append(results, result)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if declaration.Relation {
		return appendValue(append(out, answerValue), ast.NewArray(results...), 0)
	}
	if len(results) == 0 {
		return append(out, answerUndefined), nil
	}
	return appendValue(append(out, answerValue), results[0].Value, 0)
}
