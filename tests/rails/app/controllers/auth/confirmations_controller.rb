# frozen_string_literal: true

module Auth
  # Rows 6 and 7: the mail sent again, and its link.
  class ConfirmationsController < Devise::ConfirmationsController
    protected

    def after_confirmation_path_for(_name, _resource) = new_user_session_path
    def after_resending_confirmation_instructions_path_for(_name) = new_user_session_path
  end
end
