// Asks Verdict whether a subject may do something. Nothing but the standard library.
//
//	go run ask.go bob approve ann
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// One client for all questions: it keeps connections, and gives up after a second.
var client = &http.Client{Timeout: time.Second}

type answer struct {
	Decision bool `json:"decision"`
	Context  struct {
		Reasons []string `json:"reasons"`
	} `json:"context"`
}

// mayI gives the decision and its reasons; with an error, the decision is a no.
func mayI(server string, question any) (bool, []string, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return false, nil, err
	}
	response, err := client.Post(server+"/leave/access/v1/evaluation", "application/json", bytes.NewReader(body))
	if err != nil {
		return false, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return false, nil, fmt.Errorf("no decision: %s", response.Status)
	}
	var got answer
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		return false, nil, err
	}
	return got.Decision, got.Context.Reasons, nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: go run ask.go SUBJECT ACTION EMPLOYEE")
		os.Exit(2)
	}
	server := os.Getenv("VERDICT_URL")
	if server == "" {
		server = "http://127.0.0.1:8181"
	}
	type object map[string]any
	allowed, reasons, err := mayI(server, object{
		"subject":  object{"type": "user", "id": os.Args[1]},
		"action":   object{"name": os.Args[2]},
		"resource": object{"type": "leave", "id": "17", "properties": object{"employee": os.Args[3]}},
	})
	if err != nil {
		reasons = []string{err.Error()}
	}
	word := map[bool]string{true: "yes", false: "no"}[allowed]
	fmt.Println(word, strings.Join(reasons, "; "))
}
