package kafkaferry.connect.s3;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;

/** What a source is told. */
final class SourceConfig extends Config {
    static final String TOPICS = "topics";
    static final String TOPICS_REGEX = "topics.regex";
    static final String RENAME = "topics.rename";
    static final String RENAME_REGEX = "topics.rename.regex";
    static final String REPLACEMENT = "topics.rename.replacement";
    static final String POLL = "s3.poll.interval.ms";
    static final String BATCH = "record.batch.max.size";
    static final String TASK = "task.number";
    static final String TASKS = "task.count";

    private final Map<String, String> renamed;

    SourceConfig(Map<String, String> settings) {
        super(definition(), settings);
        renamed = renames(getList(RENAME));
    }

    static ConfigDef definition() {
        return common()
            .define(TOPICS, Type.LIST, List.of(), Importance.HIGH, "Topics of the export. With topics.regex empty, too: all of it.")
            .define(TOPICS_REGEX, Type.STRING, "", named("a regular expression", Config::isRegex), Importance.HIGH,
                "Regular expression that matches all of a topic's name.")
            .define(RENAME, Type.LIST, List.of(), new ConfigDef.Validator() {
                @Override
                @SuppressWarnings("unchecked")
                public void ensureValid(String name, Object value) {
                    renames((List<String>) value);
                }

                @Override
                public String toString() {
                    return "old:new,…";
                }
            }, Importance.HIGH, "Topic of the export to its name on the target: source-topic-1:sink-topic-1,…")
            .define(RENAME_REGEX, Type.STRING, "", named("a regular expression", Config::isRegex), Importance.MEDIUM,
                "Regular expression that matches all of a topic's name, for topics that topics.rename does not name.")
            .define(REPLACEMENT, Type.STRING, "", Importance.MEDIUM, "The name of those on the target; $1 is the first group.")
            .define(POLL, Type.LONG, 10_000L, ConfigDef.Range.between(100, 86_400_000), Importance.MEDIUM,
                "How often new manifests are looked for, in ms.")
            .define(BATCH, Type.INT, 1000, ConfigDef.Range.between(1, 1_000_000), Importance.LOW,
                "Records that are handed to the worker at once.");
    }

    private static Map<String, String> renames(List<String> entries) {
        final Map<String, String> found = new HashMap<>();
        for (String entry : entries) {
            final String[] names = entry.trim().split(":", -1);
            if (names.length != 2 || names[0].isEmpty() || names[1].isEmpty() || found.put(names[0], names[1]) != null) {
                throw new ConfigException(RENAME, entry, "Must be old:new, each old name once");
            }
        }
        return found;
    }

    /** What a single key's validator cannot see. */
    static void checkSource(org.apache.kafka.common.config.Config found, Map<String, String> settings) {
        checkTogether(found, settings);
        if (!settings.getOrDefault(TOPICS, "").isEmpty() && !settings.getOrDefault(TOPICS_REGEX, "").isEmpty()) {
            error(found, TOPICS_REGEX, "Give " + TOPICS + " or " + TOPICS_REGEX + ", not both");
        }
        final String replacement = settings.getOrDefault(REPLACEMENT, "");
        final String regex = settings.getOrDefault(RENAME_REGEX, "");
        if (regex.isEmpty() != replacement.isEmpty()) {
            error(found, REPLACEMENT, "Give " + RENAME_REGEX + " and " + REPLACEMENT + " together, or none of both");
        } else if (!regex.isEmpty() && isRegex(regex)) {
            try {
                Pattern.compile("(?s)" + regex + "|.*").matcher("x").replaceFirst(replacement);
            } catch (IllegalArgumentException | IndexOutOfBoundsException error) {
                error(found, REPLACEMENT, "It cannot be used with the regular expression: " + error.getMessage());
            }
        }
    }

    boolean wants(String topic) {
        final List<String> topics = getList(TOPICS);
        final String regex = getString(TOPICS_REGEX);
        return regex.isEmpty() ? topics.isEmpty() || topics.contains(topic) : Pattern.compile(regex).matcher(topic).matches();
    }

    /** The name on the target. */
    String renamed(String topic) {
        final String given = renamed.get(topic);
        if (given != null || getString(RENAME_REGEX).isEmpty()) {
            return given == null ? topic : given;
        }
        final java.util.regex.Matcher matcher = Pattern.compile(getString(RENAME_REGEX)).matcher(topic);
        return matcher.matches() ? matcher.replaceFirst(getString(REPLACEMENT)) : topic;
    }

    /** Whether a partition is this task's: each is of one, and none needs to know which there are. */
    boolean isMine(String topic, int partition) {
        final int tasks = Integer.parseInt(originalsStrings().getOrDefault(TASKS, "1"));
        final int number = Integer.parseInt(originalsStrings().getOrDefault(TASK, "0"));
        return Math.floorMod(topic.hashCode() + partition, tasks) == number;
    }
}
