# frozen_string_literal: true

# The tables, with Mastodon's column names where a test reads them.
module Schema
  def self.loaded?
    @loaded
  end

  def self.load
    database = ActiveRecord::Base.connection
    database.execute('PRAGMA journal_mode=WAL')
    database.execute('PRAGMA synchronous=OFF') # a test's state need not survive a power cut
    ActiveRecord::Migration.verbose = false
    ActiveRecord::Schema.define { Schema.tables(self) } unless database.table_exists?(:users)
    @loaded = true
  end

  def self.tables(schema)
    people(schema)
    oauth(schema)
    posts(schema)
  end

  def self.people(schema)
    schema.create_table(:accounts) do |t|
      t.string :username, null: false, index: { unique: true }
      t.string :display_name
      t.timestamps
    end
    schema.create_table(:users) do |t|
      t.references :account
      t.string :email, null: false, default: '', index: { unique: true }
      t.string :encrypted_password, null: false, default: ''
      t.string :confirmation_token, index: { unique: true }
      t.datetime :confirmed_at
      t.datetime :confirmation_sent_at
      t.string :unconfirmed_email
      t.datetime :remember_created_at
      t.string :locale
      t.string :sign_up_ip
      t.string :via # the controller that made the user
      t.integer :created_by_application_id
      t.integer :invite_id
      t.timestamps
    end
    schema.create_table(:invites) do |t|
      t.references :user
      t.string :code, null: false, index: { unique: true }
      t.integer :max_uses
      t.integer :uses, null: false, default: 0
      t.timestamps
    end
  end

  def self.oauth(schema)
    schema.create_table(:oauth_applications) do |t|
      t.string :name, null: false
      t.string :uid, null: false, index: { unique: true }
      t.string :secret, null: false
      t.text :redirect_uri, null: false
      t.string :scopes, null: false, default: ''
      t.boolean :confidential, null: false, default: true
      t.boolean :superapp, null: false, default: false
      t.string :website
      t.references :owner, polymorphic: true
      t.timestamps
    end
    schema.create_table(:oauth_access_grants) do |t|
      t.integer :resource_owner_id, null: false
      t.integer :application_id, null: false
      t.string :token, null: false, index: { unique: true }
      t.integer :expires_in, null: false
      t.text :redirect_uri, null: false
      t.datetime :created_at, null: false
      t.datetime :revoked_at
      t.string :scopes, null: false, default: ''
    end
    schema.create_table(:oauth_access_tokens) do |t|
      t.integer :resource_owner_id
      t.integer :application_id
      t.string :token, null: false, index: { unique: true }
      t.string :refresh_token
      t.integer :expires_in
      t.datetime :revoked_at
      t.datetime :created_at, null: false
      t.string :scopes
      t.index %i[application_id resource_owner_id], name: :by_app_and_owner
    end
  end

  def self.posts(schema)
    schema.create_table(:statuses) do |t|
      t.references :account
      t.text :text, null: false
      t.string :media_ids
      t.timestamps
    end
    schema.create_table(:media_attachments) do |t|
      t.references :account
      t.integer :bytes, null: false
      t.string :sha256, null: false
      t.string :content_type
      t.timestamps
    end
  end
end
