package kafkaferry.connect.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.junit.jupiter.api.Test;

/** The page for users has every setting, with the default that it has. */
class DocsTest {
    private static List<String> rows() throws Exception {
        final List<String> found = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("..", "..", "..", "docs", "s3_connectors.md"))) {
            if (line.startsWith("| `")) {
                found.add(line);
            }
        }
        return found;
    }

    @Test
    void everySettingHasARow() throws Exception {
        final Set<String> told = new TreeSet<>();
        for (String row : rows()) {
            for (String word : row.split("\\|")[1].split("`")) {
                if (word.contains(".") || word.equals("topics") || word.equals("format") || word.equals("transforms")) {
                    told.add(word);
                }
            }
        }
        final Set<String> known = new TreeSet<>(SinkConfig.definition().names());
        known.addAll(SourceConfig.definition().names());
        assertEquals(known, told);
    }

    @Test
    void numbersAreTheDefaults() throws Exception {
        final List<ConfigDef.ConfigKey> keys = new ArrayList<>(SinkConfig.definition().configKeys().values());
        keys.addAll(SourceConfig.definition().configKeys().values());
        for (ConfigDef.ConfigKey key : keys) {
            if (key.defaultValue instanceof Number) {
                final String row = rows().stream().filter(line -> line.startsWith("| `" + key.name + "`")).findFirst().orElseThrow();
                assertTrue(row.contains("| `" + key.defaultValue + "` |"), row);
            }
        }
    }
}
