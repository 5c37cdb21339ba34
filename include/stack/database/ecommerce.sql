CREATE DATABASE IF NOT EXISTS ecommerce;
CREATE TABLE IF NOT EXISTS ecommerce.orders (order_id VARCHAR(255) NOT NULL PRIMARY KEY, customer_id VARCHAR(255), item_description VARCHAR(255), price DECIMAL(6,2), order_date DATETIME);
INSERT IGNORE INTO ecommerce.orders VALUES ('123456', '123', 'A super noisy mechanical keyboard', '50.00', '2021-08-16 10:11:12');
INSERT IGNORE INTO ecommerce.orders VALUES ('123457', '123', 'An extremely wide monitor', '500.00', '2021-08-16 11:12:13');
INSERT IGNORE INTO ecommerce.orders VALUES ('123458', '123', 'A too sensible microphone', '150.00', '2021-08-16 12:13:14');
