package main

import (
	"encoding/json"
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util"
)

// networkCall is a call of a builtin that needs the network. The module has no sockets: where the host allows it, the
// host makes the call, and asks for the whole operation again with what came of it.
type networkCall struct {
	Builtin string `json:"builtin"`
	// Operand and Result are JSON texts; one of Result and Error is there once the call was made.
	Operand string `json:"operand"`
	Result  string `json:"result,omitempty"`
	Error   string `json:"error,omitempty"`
}

// network is what one operation has of it.
type network struct {
	online bool
	made   map[[2]string]networkCall
	wanted []networkCall
}

// line is that of the operation under way; builtins called one by one have none.
var line *network

var errNetwork = errors.New("there is no network in here")

func newNetwork(q *query) *network {
	n := &network{online: q.Network != nil && !q.Closed, made: map[[2]string]networkCall{}}
	for _, call := range q.Network {
		n.made[[2]string{call.Builtin, call.Operand}] = call
	}
	return n
}

// answer is what came of a call. One that was not made yet ends the evaluation: what follows could rest on it.
func (n *network) answer(builtin string, operand *ast.Term) (ast.Value, error) {
	if n == nil {
		return nil, errNetwork
	}
	plain, err := ast.JSON(operand.Value)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	call, made := n.made[[2]string{builtin, string(text)}]
	switch {
	case !made && n.online:
		n.wanted = append(n.wanted, networkCall{Builtin: builtin, Operand: string(text)})
		return nil, topdown.Halt{Err: errNetwork}
	case !made:
		n.wanted = append(n.wanted, networkCall{Builtin: builtin, Operand: string(text)})
		return nil, errNetwork
	case call.Result == "":
		return nil, errors.New(call.Error)
	}
	var result any
	if err := util.UnmarshalJSON([]byte(call.Result), &result); err != nil {
		return nil, err
	}
	return ast.InterfaceToValue(result)
}

func register(builtin *ast.Builtin, shape func(ast.Value) ast.Value) {
	name := builtin.Name
	topdown.RegisterBuiltinFunc(name, func(call topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
		value, err := line.answer(name, operands[0])
		if _, halts := err.(topdown.Halt); halts {
			return err
		}
		if err != nil {
			return &topdown.Error{Code: topdown.BuiltinErr, Message: name + ": " + err.Error(), Location: call.Location}
		}
		return iter(ast.NewTerm(shape(value)))
	})
}

func init() {
	register(ast.HTTPSend, func(value ast.Value) ast.Value { return value })
	// JSON has no sets.
	register(ast.NetLookupIPAddr, func(value ast.Value) ast.Value {
		list, is := value.(*ast.Array)
		if !is {
			return value
		}
		set := ast.NewSet()
		list.Foreach(func(term *ast.Term) { set.Add(term) })
		return set
	})
}
