package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pedidos-hq/pedidos/services/identity"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/config"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// operator is the actor of commands in the audit log.
var operator = auth.Caller{Name: "command"}

func (p *program) users() *cobra.Command {
	a := &addUserCommand{}
	add := p.onUser("add", "Create the user USERNAME and print a link with which the person sets the password.", a.run)
	add.Flags().StringVar(&a.name, "name", "", "`NAME` of the person (default: the user name)")
	add.Flags().StringVar(&a.role, "role", string(auth.Viewer), "`ROLE`: viewer, operator, manager or admin")
	return group("users", "Manage users without the API: add, list, disable or reset.", "add, list, disable or reset", "list",
		add,
		p.withData(p.command("list", "List the users.", listUsers)),
		p.onUser("disable", "Disable the user USERNAME and end the sessions.", disableUser),
		p.onUser("reset", "Print a link with which USERNAME sets a new password, and end the sessions.", resetUser),
	)
}

// onUser returns a command about a user.
func (p *program) onUser(name, short string, run func(ctx context.Context, p *program, users *identity.Users, username string) error) *cobra.Command {
	return p.withData(&cobra.Command{
		Use: name + " USERNAME", Short: short,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return misused(c, "users %s needs one user name, for example: %s ana", name, c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			ctx := auth.WithCaller(c.Context(), operator)
			return p.withDatabase(ctx, toFill, mustExist, func(db *database.DB) error {
				err := run(ctx, p, identity.NewUsers(db, p.Now), args[0])
				if known := (*fault.Error)(nil); errors.As(err, &known) && known.Cause == nil {
					return errors.New(known.Message)
				}
				return err
			})
		},
	})
}

type addUserCommand struct{ name, role string }

func (a *addUserCommand) run(ctx context.Context, p *program, users *identity.Users, username string) error {
	if !auth.Role(a.role).Known() {
		return fmt.Errorf("--role is %q: give viewer, operator, manager or admin", a.role)
	}
	if a.name == "" {
		a.name = username
	}
	setup, err := users.Add(ctx, username, a.name, auth.Role(a.role))
	if err != nil {
		return err
	}
	return printSetup(p, username, setup)
}

func resetUser(ctx context.Context, p *program, users *identity.Users, username string) error {
	setup, err := users.Reset(ctx, username)
	if err != nil {
		return err
	}
	return printSetup(p, username, setup)
}

func printSetup(p *program, username, setup string) error {
	_, err := fmt.Fprintf(p.stdout, `%s sets the password within 24 hours, once, on this page of the backoffice:

http://127.0.0.1:%d/setup#%s

or with customers-api:

curl -d '{"token":"%[3]s","password":"..."}' -H 'Content-Type: application/json' http://127.0.0.1:%[4]d/auth/setup

Replace http://127.0.0.1:%[2]d and http://127.0.0.1:%[4]d if the services have other addresses.
`, username, backofficePort, setup, customersPort)
	return err
}

func disableUser(ctx context.Context, p *program, users *identity.Users, username string) error {
	if err := users.Disable(ctx, username); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "%s is disabled.\n", username)
	return err
}

func listUsers(ctx context.Context, p *program) error {
	return p.withDatabase(ctx, toRead, mustExist, func(db *database.DB) error {
		all, err := identity.NewUsers(db, p.Now).All(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "USERNAME\tNAME\tROLE\tSTATE\tLAST LOGIN")
		for _, u := range all {
			last := "never"
			if u.LastLoginAt != nil {
				last = u.LastLoginAt.Format(time.RFC3339)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", u.Username, u.Name, u.Role, u.State, last)
		}
		return table.Flush()
	})
}

func (p *program) keys() *cobra.Command {
	r := &rotateCommand{}
	rotate := p.withData(p.command("rotate", "Create a signing key. It signs after a minute; the current one expires when its tokens have.", r.run))
	rotate.Flags().BoolVar(&r.atOnce, "now", false, "Sign with the new key at once, and refuse all tokens of the current one: everybody logs in again")
	return group("keys", "Manage the keys that sign access tokens: rotate or list.", "rotate or list", "rotate",
		rotate, p.withData(p.command("list", "List the signing keys.", listKeys)))
}

type rotateCommand struct{ atOnce bool }

func (r *rotateCommand) run(ctx context.Context, p *program) error {
	if p.Config.SigningSecret == "" {
		return errors.New("SIGNING_SECRET is not set: give the one of customers-api")
	}
	if err := p.Config.Check(config.Needs{Signing: true}); err != nil {
		return err
	}
	ctx = auth.WithCaller(ctx, operator)
	return p.withDatabase(ctx, toFill, mustExist, func(db *database.DB) error {
		done, err := identity.RotateSigningKey(ctx, db, p.Config.SigningSecret.All(), p.Config.JWTTTL, p.Now, r.atOnce)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "The key %s signs from %s. The earlier keys expire at %s.\n",
			done.KeyID, done.SignsFrom.Format(time.RFC3339), done.Expires.Format(time.RFC3339))
		return err
	})
}

func listKeys(ctx context.Context, p *program) error {
	return p.withDatabase(ctx, toRead, mustExist, func(db *database.DB) error {
		all, err := identity.SigningKeys(ctx, db)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "KEY\tSIGNS FROM\tEXPIRES")
		for _, k := range all {
			expires := "-"
			if k.ExpiresAt != nil {
				expires = k.ExpiresAt.Format(time.RFC3339)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", k.KeyID, k.SignsFrom.Format(time.RFC3339), expires)
		}
		return table.Flush()
	})
}
