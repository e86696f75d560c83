import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.IDN;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.text.Normalizer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A connected system written from ../../contract/asyncapi.yaml alone: a club whose members stand in
 * one JSON file, {"members": {"7": {"email", "name", "points", "since"}}, "answers": {}}.
 *
 * <p>It needs kafka-clients and jackson-databind: java -cp 'jars/*' ConnectedSystem.java club.json
 */
public class ConnectedSystem {
  static final ObjectMapper JSON = new ObjectMapper();
  static final Map<String, String> ENV = System.getenv();
  static final Set<String> SEARCHES = Set.of("find", "read-back");
  static final Set<String> WRITABLE = Set.of("email", "name");

  public static void main(String[] arguments) throws Exception {
    var club = new Club(Path.of(arguments[0]), ENV.get("KEY"));
    var settings =
        Map.<String, Object>of(
            "bootstrap.servers", ENV.get("KAFKA"),
            "group.id", ENV.get("SYSTEM"),
            "auto.offset.reset", "earliest",
            "enable.auto.commit", false);
    try (var producer =
            new KafkaProducer<String, String>(
                Map.of("bootstrap.servers", ENV.get("KAFKA")),
                new StringSerializer(),
                new StringSerializer());
        var consumer =
            new KafkaConsumer<String, String>(
                settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of("trettio.instructions.v1"));
      while (true) {
        for (var message : consumer.poll(Duration.ofSeconds(1))) {
          obey(club, message, producer);
        }
        consumer.commitSync(); // only what has been answered
      }
    }
  }

  /** Whoever is killed in here is told again, and gives the same answer under the same id. */
  static void obey(
      Club club, ConsumerRecord<String, String> message, KafkaProducer<String, String> producer)
      throws Exception {
    var told = JSON.readTree(message.value()).path("data");
    if (!told.path("controller").asText().equals(ENV.get("CONTROLLER"))
        || !told.path("system").asText().equals(ENV.get("SYSTEM"))) {
      return;
    }
    try {
      var answer = club.answer(told);
      if (answer.has("found")) {
        post(told.path("claim").asText().replace("/claim", "/receipt"), answer);
        return;
      }
      answer.put("instruction", told.path("instruction").asText());
      answer.put("controller", ENV.get("CONTROLLER")).put("system", ENV.get("SYSTEM"));
      var event = JSON.createObjectNode().put("specversion", "1.0").put("type", "trettio.receipt.v1");
      event.put("id", answer.path("receipt").asText()).put("source", "/" + ENV.get("SYSTEM"));
      event.set("data", answer);
      var receipt = new ProducerRecord<>("trettio.receipts.v1", message.key(), event.toString());
      producer.send(receipt).get();
    } catch (Over over) {
      System.err.println(told.path("instruction").asText() + ": " + over.getMessage());
    }
  }

  static JsonNode post(String path, JsonNode body) throws IOException, InterruptedException, Over {
    var request =
        HttpRequest.newBuilder(URI.create(ENV.get("TRETTIO") + path))
            .timeout(Duration.ofSeconds(30))
            .header("Authorization", "Bearer " + ENV.get("TOKEN"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
            .build();
    var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() == 200) {
      return JSON.readTree(answer.body());
    }
    if (Set.of(404, 409, 410, 422).contains(answer.statusCode())) {
      throw new Over("refused with " + answer.statusCode());
    }
    throw new IOException("status " + answer.statusCode()); // we end, are restarted, are told again
  }

  /** Nobody waits for this instruction any more, or for this answer. */
  static class Over extends Exception {
    Over(String why) {
      super(why);
    }
  }

  /** The members, and what was answered about them. Saved as a whole or not at all. */
  static class Club {
    final Path file;
    final ObjectNode held;
    final int version;
    final SecretKeySpec key;

    Club(Path file, String key) throws IOException {
      this.file = file;
      this.held = (ObjectNode) JSON.readTree(file.toFile());
      this.version = Integer.parseInt(key.split(":")[0]);
      this.key = new SecretKeySpec(HexFormat.of().parseHex(key.split(":")[1]), "HmacSHA256");
    }

    ObjectNode answer(JsonNode told) throws Exception {
      var instruction = told.path("instruction").asText();
      var known = held.withObject("/answers").get(instruction);
      if (known != null && !SEARCHES.contains(told.path("verb").asText())) {
        return known.deepCopy();
      }
      var answer = act(told);
      answer.put("receipt", sameIdFor(instruction + answer.path("outcome").asText()));
      if (!answer.has("found")) { // nothing personal is remembered; to look or to write again is safe
        held.withObject("/answers").set(instruction, answer.deepCopy());
      }
      save();
      return answer;
    }

    ObjectNode act(JsonNode told) throws Exception {
      var verb = told.path("verb").asText();
      if (verb.equals("inform")) {
        return outcome("done");
      }
      var tokens = new ArrayList<String>();
      for (var token : told.path("tokens")) {
        if (token.path("kind").asText().equals("email") && token.path("version").asInt() == version) {
          tokens.add(token.path("token").asText());
        }
      }
      if (tokens.isEmpty()) {
        return outcome("needs-person").put("reason", "nothing-to-search-by");
      }
      var members = members(tokens, told.path("erased_before").asText(null));
      if (SEARCHES.contains(verb)) {
        return members.isEmpty() ? outcome("nothing-held") : found("found", members);
      }
      if (verb.equals("erase") && !told.path("records").isEmpty()) {
        return erase(post(told.path("claim").asText(), JSON.createObjectNode()));
      }
      if (!Set.of("erase", "suppress", "restrict", "unrestrict", "rectify").contains(verb)) {
        return outcome("needs-person").put("reason", "unknown-verb");
      }
      if (members.isEmpty()) {
        return outcome("nothing-held");
      }
      if (verb.equals("rectify")) {
        return rectify(post(told.path("claim").asText(), JSON.createObjectNode()), members);
      }
      for (var member : members) {
        if (verb.equals("erase")) {
          // An old erasure told again: what is of a kind that it does not name was kept, by law.
          for (var treated : told.path("kinds")) {
            if (treated.path("kind").asText().equals("customer")) {
              all().remove(member);
            }
          }
        } else {
          ((ObjectNode) all().get(member)).put(verb, true);
        }
      }
      return outcome("done");
    }

    ObjectNode erase(JsonNode claim) {
      var answer = outcome("done");
      for (var record : claim.path("records")) {
        var gone = all().remove(record.path("key").asText());
        answer
            .withArray("/records")
            .addObject()
            .put("record", record.path("record").asText())
            .put("outcome", gone == null ? "not-found" : "erased");
      }
      return answer;
    }

    ObjectNode rectify(JsonNode claim, List<String> members) {
      for (var correction : claim.path("corrections")) {
        var member = (ObjectNode) all().get(correction.path("key").asText());
        for (var field : correction.path("fields").properties()) {
          if (member == null || !WRITABLE.contains(field.getKey())) {
            return outcome("needs-person").put("reason", "nothing-we-can-write");
          }
          member.set(field.getKey(), field.getValue());
        }
      }
      return found("done", members);
    }

    ObjectNode found(String outcome, List<String> members) {
      var answer = outcome(outcome);
      ArrayNode records = answer.putArray("found");
      for (var member : members) {
        var record = records.addObject().put("key", member).put("kind", "customer");
        record.put("matched_by", "email").set("fields", all().get(member).deepCopy());
      }
      return answer;
    }

    /** Whoever has become a member since `before` has come back, and is left alone. */
    List<String> members(List<String> tokens, String before) throws Exception {
      var theirs = new ArrayList<String>();
      for (var one : all().properties()) {
        var since = Instant.parse(one.getValue().path("since").asText());
        if (tokens.contains(token(one.getValue().path("email").asText()))
            && (before == null || since.isBefore(Instant.parse(before)))) {
          theirs.add(one.getKey());
        }
      }
      return theirs;
    }

    String token(String email) throws Exception {
      var text = Normalizer.normalize(email, Normalizer.Form.NFC).strip().replaceAll("\\s+", " ");
      text = text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT); // as near as Java comes to folding
      var at = text.lastIndexOf('@');
      text = "email:" + text.substring(0, at + 1) + IDN.toASCII(text.substring(at + 1));
      var mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return HexFormat.of().formatHex(mac.doFinal(text.getBytes("UTF-8")));
    }

    ObjectNode all() {
      return held.withObject("/members");
    }

    void save() throws IOException {
      var part = file.resolveSibling(file.getFileName() + ".part");
      JSON.writeValue(part.toFile(), held);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    static ObjectNode outcome(String outcome) {
      return JSON.createObjectNode().put("outcome", outcome);
    }

    static String sameIdFor(String text) {
      return UUID.nameUUIDFromBytes(text.getBytes()).toString();
    }
  }
}
