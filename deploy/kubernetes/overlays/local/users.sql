-- Run by MySQL's image where the volume is new. `pedidos migrate up` grants the services' users their rights, once the
-- tables are there. The passwords are those of secrets.env.
GRANT ALL ON `b2b\_db`.* TO b2b_user WITH GRANT OPTION;
CREATE USER customers_user IDENTIFIED BY 'customers_pass';
CREATE USER orders_user IDENTIFIED BY 'orders_pass';
