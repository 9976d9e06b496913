import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ConnectionFactory;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Publish a job to RabbitMQ and wait for what became of it. */
public class Publish {
    static final String REPLIES = "amq.rabbitmq.reply-to"; // RabbitMQ hands the answer to this very channel

    public static void main(String[] words) throws Exception {
        var factory = new ConnectionFactory();
        factory.setUri(System.getenv("AMQP_URL"));
        try (var connection = factory.newConnection(); var channel = connection.createChannel()) {
            channel.confirmSelect();
            var answers = new ArrayBlockingQueue<String>(1);
            channel.basicConsume(REPLIES, true,
                    (tag, delivery) -> answers.add(new String(delivery.getBody(), StandardCharsets.UTF_8)),
                    tag -> {});

            // a JSON library does this better
            var job = "{\"type\": \"echo\", \"payload\": {\"message\": \"%s\"}, \"priority\": 8}".formatted(words[0]);
            var properties = new AMQP.BasicProperties.Builder()
                    .messageId(UUID.randomUUID().toString()) // one a job: the same one again is the same job
                    .contentType("application/json")
                    .deliveryMode(2)
                    .replyTo(REPLIES)
                    .build();
            channel.basicPublish("jobs.in", "job.echo.p8", properties, job.getBytes(StandardCharsets.UTF_8));
            channel.waitForConfirmsOrDie(10_000); // RabbitMQ has the job for good

            var answer = answers.poll(30, TimeUnit.SECONDS);
            System.out.println(answer == null ? "no answer yet" : answer);
        }
    }
}
