// Publish a job to RabbitMQ and wait for what became of it: `AMQP_URL=… node publish.js "hello"`.
import { randomUUID } from "node:crypto";
import amqp from "amqplib";

const REPLIES = "amq.rabbitmq.reply-to"; // RabbitMQ hands the answer to this very channel: no queue, no permission

const connection = await amqp.connect(process.env.AMQP_URL);
const channel = await connection.createConfirmChannel();
let answered;
const answer = new Promise((resolve) => (answered = resolve));
await channel.consume(REPLIES, answered, { noAck: true });

const job = { type: "echo", payload: { message: process.argv[2] }, priority: 8 };
channel.publish("jobs.in", "job.echo.p8", Buffer.from(JSON.stringify(job)), {
  messageId: randomUUID(), // one a job: the same one again is the same job
  contentType: "application/json",
  persistent: true,
  replyTo: REPLIES,
});
await channel.waitForConfirms(); // RabbitMQ has the job for good

console.log((await answer).content.toString());
await connection.close();
