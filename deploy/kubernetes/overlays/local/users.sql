-- The MySQL image runs this for a new volume. `pedidos migrate up` grants the services' users their rights once the tables
-- exist. The passwords are those in secrets.env.
GRANT ALL ON `b2b\_db`.* TO b2b_user WITH GRANT OPTION;
CREATE USER customers_user IDENTIFIED BY 'customers_pass';
CREATE USER orders_user IDENTIFIED BY 'orders_pass';
