package dev.sluice.testing.llm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

import io.vertx.core.json.JsonObject;

/** Body of type {@code multipart/form-data} with ASCII content, as the official SDKs send it. */
public record Form(String boundary, String body) {

    /** Samples of a second of {@link #wav}. */
    private static final int RATE = 8000;

    /** Returns a form of the fields and of a WAV file of 2.5 seconds. */
    public static Form of(JsonObject fields) {
        return of(fields, wav(2.5));
    }

    /** @param file content of the field {@code file} */
    public static Form of(JsonObject fields, String file) {
        var boundary = "----formdata-0123456789";
        var body = new StringBuilder();
        fields.forEach(field -> body.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"")
                .append(field.getKey()).append("\"\r\n\r\n").append(field.getValue()).append("\r\n"));
        body.append("--").append(boundary)
                .append("\r\nContent-Disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\n")
                .append("Content-Type: audio/wav\r\n\r\n").append(file).append("\r\n--").append(boundary).append("--\r\n");
        return new Form(boundary, body.toString());
    }

    public String contentType() {
        return "multipart/form-data; boundary=" + boundary;
    }

    /** Returns silence as a WAV file of 8-bit samples, whose bytes are all ASCII. */
    public static String wav(double seconds) {
        int samples = (int) (seconds * RATE);
        var header = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
        header.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(0).put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII))
                .putInt(16).putShort((short) 1).putShort((short) 1).putInt(RATE).putInt(0).putShort((short) 1)
                .putShort((short) 8).put("data".getBytes(StandardCharsets.US_ASCII)).putInt(0x7f7f7f7f);
        return new String(header.array(), StandardCharsets.ISO_8859_1) + "@".repeat(samples);
    }
}
