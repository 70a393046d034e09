// Evaluates one rule of a folder of policies with OPA's Go evaluator, for bench/engine.ts: each line on standard input asks
// for something, each line on standard output answers. Built with the modules of toolchain/go.mod.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

type order struct {
	From         int `json:"from"`
	Count        int `json:"count"`
	Milliseconds int `json:"milliseconds"`
}

type told struct {
	Evaluations int     `json:"evaluations"`
	CPUUs       int64   `json:"cpuUs"`
	Ms          float64 `json:"ms"`
	Answers     string  `json:"answers,omitempty"`
}

func cpuUs() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return (used.Utime.Nano() + used.Stime.Nano()) / 1000
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

type evaluator struct {
	query  rego.PreparedEvalQuery
	inputs [][]byte
}

func (e *evaluator) evaluate(n int) bool {
	// Parsed each time, as a server would.
	input := must(ast.ValueFromReader(bytes.NewReader(e.inputs[n%len(e.inputs)])))
	results := must(e.query.Eval(context.Background(), rego.EvalParsedInput(input)))
	return results.Allowed()
}

func (e *evaluator) run(o order) told {
	start, cpu := time.Now(), cpuUs()
	var answers strings.Builder
	n := 0
	for ; n < o.Count || (o.Count == 0 && time.Since(start) < time.Duration(o.Milliseconds)*time.Millisecond); n++ {
		permitted := e.evaluate(o.From + n)
		if o.Count > 0 {
			answers.WriteByte("01"[map[bool]int{true: 1}[permitted]])
		}
	}
	return told{n, cpuUs() - cpu, time.Since(start).Seconds() * 1000, answers.String()}
}

func main() {
	folder, inputs, query := os.Args[1], os.Args[2], os.Args[3]
	e := evaluator{inputs: bytes.Split(bytes.TrimSpace(must(os.ReadFile(inputs))), []byte("\n"))}
	out := json.NewEncoder(os.Stdout)
	start, cpu := time.Now(), cpuUs()
	e.query = must(rego.New(rego.Query(query), rego.Load([]string{folder}, nil)).PrepareForEval(context.Background()))
	loaded := told{0, cpuUs() - cpu, time.Since(start).Seconds() * 1000, ""}
	runtime.GC()
	must(0, out.Encode(loaded))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		must(0, json.Unmarshal(lines.Bytes(), &o))
		must(0, out.Encode(e.run(o)))
	}
}
