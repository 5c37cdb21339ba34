package kafkaferry.connect.s3;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * JSON as manifests have it. Values are Map, List, String, Long, Boolean, null, and {@link Literal} for numbers that are not whole.
 *
 * <p>A manifest's digest is of its content in one form: keys in order, no spaces, ASCII only (jobs/backup/rules/manifest.py).
 */
final class Json {
    /** A record's value is one text, and may be large. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
        .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
        .build();
    private static final int DEPTH = 64;

    /** A number as it was written: another float's text would give another digest. */
    static final class Literal {
        final String text;

        Literal(String text) {
            this.text = text;
        }
    }

    private Json() {}

    /** @throws IOException it is no JSON */
    static Object parse(byte[] data) throws IOException {
        try (JsonParser parser = FACTORY.createParser(data)) {
            parser.nextToken();
            final Object found = value(parser, DEPTH);
            if (parser.nextToken() != null) {
                throw new IOException("something follows its end");
            }
            return found;
        }
    }

    /** Writes one value after the other, with nothing between. */
    static JsonGenerator generator(OutputStream sink) throws IOException {
        final JsonGenerator found = FACTORY.createGenerator(sink);
        found.setRootValueSeparator(null);
        return found;
    }

    private static Object value(JsonParser parser, int depth) throws IOException {
        final JsonToken token = parser.currentToken();
        if (token == null || depth == 0) {
            throw new IOException(token == null ? "it ends too soon" : "it is nested too deeply");
        }
        switch (token) {
            case START_OBJECT:
                final Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    final String name = parser.currentName();
                    parser.nextToken();
                    object.put(name, value(parser, depth - 1));
                }
                return object;
            case START_ARRAY:
                final List<Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(value(parser, depth - 1));
                }
                return list;
            case VALUE_STRING:
                return parser.getText();
            case VALUE_NUMBER_INT:
                final JsonParser.NumberType type = parser.getNumberType();
                return type == JsonParser.NumberType.BIG_INTEGER ? new Literal(parser.getText()) : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT:
                return new Literal(parser.getText());
            case VALUE_TRUE:
                return true;
            case VALUE_FALSE:
                return false;
            case VALUE_NULL:
                return null;
            default:
                throw new IOException("unexpected " + token);
        }
    }

    /** The one form that digests are of. */
    static byte[] canonical(Object value) {
        final StringBuilder text = new StringBuilder();
        append(text, value);
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static void append(StringBuilder text, Object value) {
        if (value instanceof Map) {
            char before = '{';
            if (((Map<?, ?>) value).isEmpty()) {
                text.append('{');
            }
            for (Map.Entry<?, ?> entry : sorted((Map<?, ?>) value).entrySet()) {
                text.append(before);
                quote(text, (String) entry.getKey());
                append(text.append(':'), entry.getValue());
                before = ',';
            }
            text.append('}');
        } else if (value instanceof List) {
            char before = '[';
            if (((List<?>) value).isEmpty()) {
                text.append('[');
            }
            for (Object one : (List<?>) value) {
                append(text.append(before), one);
                before = ',';
            }
            text.append(']');
        } else if (value instanceof String) {
            quote(text, (String) value);
        } else if (value instanceof Literal) {
            text.append(((Literal) value).text);
        } else {
            text.append(value); // null, a boolean or a whole number: as Java writes them
        }
    }

    /** By code points, as Python orders text; Java's own order is by UTF-16 units. */
    private static Map<String, Object> sorted(Map<?, ?> map) {
        final Map<String, Object> found = new TreeMap<>((one, other) -> {
            int at = 0;
            while (at < one.length() && at < other.length()) {
                final int mine = one.codePointAt(at);
                final int its = other.codePointAt(at);
                if (mine != its) {
                    return Integer.compare(mine, its);
                }
                at += Character.charCount(mine);
            }
            return Integer.compare(one.length(), other.length());
        });
        map.forEach((key, value) -> found.put((String) key, value));
        return found;
    }

    private static void quote(StringBuilder text, String content) {
        text.append('"');
        for (int at = 0; at < content.length(); at++) {
            final char letter = content.charAt(at);
            switch (letter) {
                case '"': text.append("\\\""); break;
                case '\\': text.append("\\\\"); break;
                case '\n': text.append("\\n"); break;
                case '\r': text.append("\\r"); break;
                case '\t': text.append("\\t"); break;
                case '\b': text.append("\\b"); break;
                case '\f': text.append("\\f"); break;
                default:
                    if (letter < ' ' || letter > '~') { // as Python's ensure_ascii
                        text.append(String.format("\\u%04x", (int) letter));
                    } else {
                        text.append(letter);
                    }
            }
        }
        text.append('"');
    }

    static String sha256(byte[] data) {
        return hex(digest().digest(data));
    }

    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every Java has it
        }
    }

    static String hex(byte[] data) {
        final StringBuilder text = new StringBuilder(data.length * 2);
        for (byte one : data) {
            text.append(Character.forDigit(one >> 4 & 15, 16)).append(Character.forDigit(one & 15, 16));
        }
        return text.toString();
    }
}
