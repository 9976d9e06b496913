// Publish a job to RabbitMQ and wait for what became of it: `AMQP_URL=… go run . hello`.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const replies = "amq.rabbitmq.reply-to" // RabbitMQ hands the answer to this very channel: no queue, no permission

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := amqp.Dial(os.Getenv("AMQP_URL"))
	check(err)
	defer connection.Close()
	channel, err := connection.Channel()
	check(err)
	check(channel.Confirm(false))
	confirmed := channel.NotifyPublish(make(chan amqp.Confirmation, 1))
	answers, err := channel.Consume(replies, "", true, false, false, false, nil)
	check(err)

	job, err := json.Marshal(map[string]any{
		"type": "echo", "payload": map[string]any{"message": os.Args[1]}, "priority": 8,
	})
	check(err)
	check(channel.PublishWithContext(ctx, "jobs.in", "job.echo.p8", false, false, amqp.Publishing{
		MessageId:    uuid(), // one a job: the same one again is the same job
		ContentType:  "application/json",
		DeliveryMode: amqp.Persistent,
		ReplyTo:      replies,
		Body:         job,
	}))
	if !(<-confirmed).Ack { // until RabbitMQ has the job for good
		log.Fatal("RabbitMQ did not take the job")
	}

	select {
	case answer := <-answers:
		fmt.Println(string(answer.Body))
	case <-ctx.Done():
		fmt.Println("no answer yet")
	}
}

func uuid() string {
	b := make([]byte, 16)
	_, err := rand.Read(b)
	check(err)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
