package dev.sluice.chart;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Parser of Secrets in protobuf, the encoding in which Helm stores its releases. */
final class ProtobufSecret {

    private static final byte[] MAGIC = {'k', '8', 's', 0};
    private static final int METADATA = 1;
    private static final int DATA = 2;
    private static final int TYPE = 3;
    private static final int NAME = 1;
    private static final int LABELS = 11;

    private record Field(int number, byte[] value) {

        String text() {
            return new String(value, StandardCharsets.UTF_8);
        }
    }

    private ProtobufSecret() {
    }

    static boolean isProtobuf(byte[] body) {
        return body.length > MAGIC.length && Arrays.equals(body, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /** Returns name, labels, data and type of the Secret as JSON. */
    static ObjectNode parse(byte[] body) {
        var secret = JsonNodeFactory.instance.objectNode().put("apiVersion", "v1").put("kind", "Secret");
        var metadata = secret.putObject("metadata");
        var labels = metadata.putObject("labels");
        var data = secret.putObject("data");
        var envelope = fields(Arrays.copyOfRange(body, MAGIC.length, body.length));
        for (var field : fields(field(envelope, 2).value())) {
            switch (field.number()) {
                case METADATA -> fields(field.value()).forEach(of -> {
                    if (of.number() == NAME) {
                        metadata.put("name", of.text());
                    } else if (of.number() == LABELS) {
                        labels.put(field(fields(of.value()), 1).text(), field(fields(of.value()), 2).text());
                    }
                });
                case DATA -> data.put(field(fields(field.value()), 1).text(), field(fields(field.value()), 2).value());
                case TYPE -> secret.put("type", field.text());
                default -> {
                    // not needed here
                }
            }
        }
        return secret;
    }

    private static Field field(List<Field> fields, int number) {
        return fields.stream().filter(field -> field.number() == number).findFirst().orElseThrow();
    }

    /** Returns the length-delimited fields of a message; varints are skipped. */
    private static List<Field> fields(byte[] message) {
        var fields = new ArrayList<Field>();
        var bytes = ByteBuffer.wrap(message);
        while (bytes.hasRemaining()) {
            long tag = varint(bytes);
            if ((tag & 7) == 0) {
                varint(bytes);
            } else if ((tag & 7) == 2) {
                var value = new byte[(int) varint(bytes)];
                bytes.get(value);
                fields.add(new Field((int) (tag >> 3), value));
            } else {
                throw new IllegalArgumentException("unsupported wire type");
            }
        }
        return fields;
    }

    private static long varint(ByteBuffer bytes) {
        long value = 0;
        for (int shift = 0;; shift += 7) {
            byte next = bytes.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
