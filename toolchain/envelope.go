package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// A request and a reply are lists of byte strings, each with its length before it: JSON first, then attachments
// (data, input, a module) that would only be slower and larger as JSON.

type query struct {
	Op       string   `json:"op"`
	Modules  []source `json:"modules"`
	Data     bool     `json:"data"`
	Input    bool     `json:"input"`
	Query    string   `json:"query"`
	Version  int      `json:"version"`
	Entry    []string `json:"entrypoints"`
	Strict   bool     `json:"strict"`
	Coverage bool     `json:"coverage"`
	Run      string   `json:"run"`
	Trace    bool     `json:"trace"`
	// Steps asks for the rules that were tried, as a tree; Calls are results of builtins that another evaluation had.
	Steps bool            `json:"steps"`
	Calls json.RawMessage `json:"calls"`
	// Explain asks for the trace as OPA's server writes it, at one of its levels.
	Explain string `json:"explain"`
	Pretty  bool   `json:"pretty"`
	// Reasons asks a compilation what its answers rest on, and which rules are found by what they compare.
	Reasons bool `json:"reasons"`
	// Regrouping is how much of the rules is regrouped, for comparisons: none of them, or all that can be.
	Regrouping string `json:"regrouping"`
	// Schemas are documents by name, `a/b` for `schema["a"]["b"]`.
	Schemas map[string]json.RawMessage `json:"schemas"`
	// Network are calls that the host has made for this operation; without it, there is no network. Closed: it makes no more.
	Network    []networkCall `json:"network"`
	Closed     bool          `json:"closed"`
	HasContext bool          `json:"context"`
	NowNs      int64         `json:"nowNs,string"`

	data  []byte
	input []byte
	seed  []byte
}

type reply struct {
	// Result is the operation's answer; one of it, Problems and Crash is there.
	Result   any       `json:"result,omitempty"`
	Problems []problem `json:"problems,omitempty"`
	Crash    string    `json:"crash,omitempty"`
	// Wanted are calls of the network that were not made. Where the host makes them, nothing else is there.
	Wanted []networkCall `json:"wanted,omitempty"`

	attachment []byte
}

var errShort = errors.New("the request ends too early")

func readBlob(from []byte) (blob, rest []byte, err error) {
	length, used := binary.Uvarint(from)
	if used <= 0 || uint64(len(from)-used) < length {
		return nil, nil, errShort
	}
	end := used + int(length)
	return from[used:end], from[end:], nil
}

// readQuery copies nothing: the attachments lie in the request buffer, which lives as long as the operation.
func readQuery(from []byte) (*query, error) {
	text, rest, err := readBlob(from)
	if err != nil {
		return nil, err
	}
	q := &query{}
	if err := json.Unmarshal(text, q); err != nil {
		return nil, err
	}
	for _, wanted := range []struct {
		present bool
		into    *[]byte
	}{{q.Data, &q.data}, {q.Input, &q.input}, {q.HasContext, &q.seed}} {
		if !wanted.present {
			continue
		}
		if *wanted.into, rest, err = readBlob(rest); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func appendReply(out []byte, r reply) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		text, _ = json.Marshal(reply{Crash: fmt.Sprintf("the reply cannot be written: %v", err)})
	}
	out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
	return append(binary.AppendUvarint(out, uint64(len(r.attachment))), r.attachment...)
}

var operations = map[string]func(*query) reply{
	"version":      versionInfo,
	"check":        check,
	"compile":      compileModule,
	"compileQuery": compileQuery,
	"test":         runTests,
	"format":       formatFile,
	"evaluate":     evaluate,
}

func serve(from []byte) reply {
	q, err := readQuery(from)
	if err != nil {
		return reply{Crash: fmt.Sprintf("the request cannot be read: %v", err)}
	}
	operation, known := operations[q.Op]
	if !known {
		return reply{Crash: fmt.Sprintf("unknown operation %q", q.Op)}
	}
	line = newNetwork(q)
	defer func() { line = nil }()
	answer := operation(q)
	if len(line.wanted) == 0 {
		return answer
	}
	if line.online {
		return reply{Wanted: line.wanted}
	}
	answer.Wanted = line.wanted
	return answer
}
