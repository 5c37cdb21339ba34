package kafkaferry.connect.s3;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.kafka.connect.errors.ConnectException;

/** Small objects are read side by side: one after the other, thousands would take minutes. */
final class Parallel {
    private static final int THREADS = 8;

    private Parallel() {}

    /** What the function makes of each, in order; the first error of any is thrown. */
    static <A, B> List<B> map(List<A> all, Function<A, B> function) {
        final ExecutorService pool = Executors.newFixedThreadPool(Math.max(1, Math.min(THREADS, all.size())));
        try {
            final List<Future<B>> answers = new ArrayList<>();
            all.forEach(one -> answers.add(pool.submit(() -> function.apply(one))));
            final List<B> found = new ArrayList<>();
            for (Future<B> answer : answers) {
                found.add(answer.get());
            }
            return found;
        } catch (ExecutionException error) {
            throw error.getCause() instanceof RuntimeException ? (RuntimeException) error.getCause()
                : new ConnectException(error.getCause());
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new ConnectException("interrupted while objects were read", error);
        } finally {
            pool.shutdownNow();
        }
    }
}
