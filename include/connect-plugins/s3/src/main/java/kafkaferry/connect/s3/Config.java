package kafkaferry.connect.s3;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.types.Password;

/** What both connectors are told: where the objects are. Names as other S3 connectors have them, where they have one. */
class Config extends AbstractConfig {
    static final String BUCKET = "s3.bucket.name";
    static final String PREFIX = "s3.prefix";
    static final String EXPORT = "export.name";
    static final String REGION = "s3.region";
    static final String URL = "store.url";
    static final String PATH_STYLE = "s3.path.style.access.enabled";
    static final String KEY_ID = "aws.access.key.id";
    static final String SECRET = "aws.secret.access.key";
    static final String SSE = "s3.ssea.name";
    static final String KMS_KEY = "s3.sse.kms.key.id";
    static final String RETRIES = "s3.part.retries";
    static final String TIMEOUT = "s3.request.timeout.ms";
    /** S3's limit for all parts of an object but its last. */
    static final int SMALLEST_PART = 5 * 1024 * 1024;

    private static final String BYTE_ARRAYS = "org.apache.kafka.connect.converters.ByteArrayConverter";
    private static final Pattern EXPORT_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,99}");
    private static final Pattern PREFIX_PART = Pattern.compile("[^/\\\\\\p{Cntrl}]+");

    Config(ConfigDef definition, Map<String, String> settings) {
        super(definition, settings);
    }

    static ConfigDef common() {
        final ConfigDef definition = new ConfigDef();
        for (String name : List.of("key.converter", "value.converter", "header.converter")) {
            definition.define(name, Type.STRING, ConfigDef.NO_DEFAULT_VALUE,
                named(BYTE_ARRAYS + ", since any other converter may change bytes", Config::isByteArrays), Importance.HIGH,
                "Must be " + BYTE_ARRAYS + ", on the connector itself: what the worker has by default is not known to it.");
        }
        return definition
            .define(BUCKET, Type.STRING, ConfigDef.NO_DEFAULT_VALUE, new ConfigDef.NonEmptyString(), Importance.HIGH,
                "Bucket of the objects. It must exist.")
            .define(PREFIX, Type.STRING, "", named("a path without empty parts, '.' and '..'", Config::isPrefix), Importance.HIGH,
                "Folder in the bucket: with the bucket it is what Kafka Ferry's DAGs call location, s3://bucket/prefix.")
            .define(EXPORT, Type.STRING, "", named("letters, digits, dot, - and _, at most 100",
                text -> text.isEmpty() || EXPORT_NAME.matcher(text).matches()), Importance.HIGH,
                "Name of the export below the prefix, as DAGs have it in export or backup. Empty: the connector's name.")
            .define(REGION, Type.STRING, "", Importance.HIGH, "The bucket's region. Empty: as the worker's environment says.")
            .define(URL, Type.STRING, "", named("a URL such as https://host:9000", Config::isUrl), Importance.MEDIUM,
                "Endpoint of a store that speaks S3's protocol. Empty: AWS.")
            .define(PATH_STYLE, Type.BOOLEAN, null, Importance.LOW,
                "Bucket in the path and not in the host's name. Default: true with store.url, else false.")
            .define(KEY_ID, Type.STRING, "", Importance.MEDIUM,
                "Access key. Empty: as the AWS SDK finds it (environment, profile, role of the host or pod).")
            .define(SECRET, Type.PASSWORD, new Password(""), Importance.MEDIUM, "Its secret.")
            .define(SSE, Type.STRING, "", ConfigDef.ValidString.in("", "AES256", "aws:kms", "aws:kms:dsse"), Importance.LOW,
                "Server-side encryption that is asked for. Empty: as the bucket has it.")
            .define(KMS_KEY, Type.STRING, "", Importance.LOW, "KMS key of it.")
            .define(RETRIES, Type.INT, 3, ConfigDef.Range.between(0, 20), Importance.LOW,
                "How often a request is sent again before the task fails.")
            .define(TIMEOUT, Type.LONG, 60_000L, ConfigDef.Range.between(1_000, 240_000), Importance.LOW,
                "How long a request may take with all its retries before the task fails, in ms.");
    }

    interface Rule {
        boolean holds(String text);
    }

    static ConfigDef.Validator named(String what, Rule rule) {
        return new ConfigDef.Validator() {
            @Override
            public void ensureValid(String name, Object value) {
                if (value != null && !rule.holds((String) value)) {
                    throw new ConfigException(name, value, "Must be " + what);
                }
            }

            @Override
            public String toString() {
                return what;
            }
        };
    }

    static boolean isRegex(String text) {
        try {
            Pattern.compile(text);
            return true;
        } catch (PatternSyntaxException error) {
            return false;
        }
    }

    private static boolean isByteArrays(String text) {
        return text.equals(BYTE_ARRAYS) || text.equals("ByteArrayConverter");
    }

    private static boolean isPrefix(String text) {
        if (text.isEmpty()) {
            return true;
        }
        for (String part : text.replaceAll("^/|/$", "").split("/", -1)) {
            if (!PREFIX_PART.matcher(part).matches() || part.equals(".") || part.equals("..")) {
                return false;
            }
        }
        return true;
    }

    private static boolean isUrl(String text) {
        try {
            final URI url = text.isEmpty() ? null : URI.create(text);
            return url == null || url.getHost() != null && ("http".equals(url.getScheme()) || "https".equals(url.getScheme()));
        } catch (IllegalArgumentException error) {
            return false;
        }
    }

    /** What a single key's validator cannot see. */
    static void checkTogether(org.apache.kafka.common.config.Config found, Map<String, String> settings) {
        if (settings.getOrDefault(KEY_ID, "").isEmpty() != settings.getOrDefault(SECRET, "").isEmpty()) {
            error(found, SECRET, "Give " + KEY_ID + " and " + SECRET + " together, or none of both");
        }
        final String name = settings.getOrDefault("name", "");
        if (settings.getOrDefault(EXPORT, "").isEmpty() && !EXPORT_NAME.matcher(name).matches()) {
            error(found, EXPORT, "The connector's name " + name + " cannot be part of an object's key: give " + EXPORT);
        }
    }

    static void error(org.apache.kafka.common.config.Config found, String name, String problem) {
        found.configValues().stream().filter(value -> value.name().equals(name)).forEach(value -> value.addErrorMessage(problem));
    }

    /** With "/" at its end, or empty. */
    String prefix() {
        final String given = getString(PREFIX).replaceAll("^/|/$", "");
        return given.isEmpty() ? "" : given + "/";
    }

    boolean pathStyle() {
        final Boolean given = getBoolean(PATH_STYLE);
        return given == null ? !getString(URL).isEmpty() : given;
    }

    String export() {
        final String given = getString(EXPORT);
        return given.isEmpty() ? originalsStrings().get("name") : given;
    }
}
