package kafkaferry.connect.s3;

import org.apache.kafka.connect.errors.ConnectException;

/** An object is not what was written, or says what cannot be. */
final class DamagedObject extends ConnectException {
    private static final long serialVersionUID = 1;

    DamagedObject(String what, String problem) {
        super(what + ": " + problem);
    }

    DamagedObject(String what, String problem, Throwable cause) {
        super(what + ": " + problem, cause);
    }
}
